import { CoreError } from '@sluice/core/domain/error.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { NotAMessage, readMessage } from '../jsonrpc/message.ts';
import { type Ask, readAsk } from './ask.ts';
import { unitOf } from './units.ts';

/**
 * What a text would mean: a JSON-RPC request, or the words of an action (`tools/call find {"id":1}`,
 * `resources/read file:///notes.txt`), or a tool's name and its arguments (`find {"id":1}`). A tool is taken to be
 * pinned, and to claim nothing, since no target is asked. Throws `client_protocol`.
 */
export function interpret(target: string, text: string, most: number): Unit {
  const ask = text.trimStart().startsWith('{') ? fromMessage(text, most) : fromWords(text.trim(), most);
  return unitOf(target, ask);
}

function fromMessage(text: string, most: number): Ask {
  const message = readMessage(parsed(text, most));
  const ask = message.kind === 'request' ? readAsk(message.method, message.params) : undefined;
  return ask ?? meaningless();
}

function fromWords(text: string, most: number): Ask {
  const [, first = '', rest = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  switch (first) {
    case 'tools/list':
    case 'resources/list':
    case 'resources/templates/list':
    case 'prompts/list':
      return known(first, rest === '' ? {} : { cursor: parsed(rest, most) });
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return known(first, { uri: rest });
    case 'logging/setLevel':
      return known(first, { level: rest });
    case 'tools/call':
    case 'prompts/get': {
      const [, name = '', given = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(rest) ?? [];
      return known(first, { name, ...(given === '' ? {} : { arguments: parsed(given, most) }) });
    }
    default:
      return known('tools/call', { name: first, ...(rest === '' ? {} : { arguments: parsed(rest, most) }) });
  }
}

function known(method: string, params: Parameters<typeof readAsk>[1]): Ask {
  return readAsk(method, params) ?? meaningless();
}

function parsed(text: string, most: number): ReturnType<typeof parseStrictJson> {
  try {
    return parseStrictJson(text, { bytes: most, depth: 64 });
  } catch (error) {
    if (error instanceof CoreError) throw error;
    throw new CoreError('client_protocol', 'client', 'The text holds something that should be JSON and is not.', {
      cause: error,
    });
  }
}

function meaningless(): never {
  throw new NotAMessage('This is no request that an MCP server would be sent here.');
}
