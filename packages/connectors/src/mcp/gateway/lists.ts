import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { isObject, NotAMessage, rpcCodes } from '../jsonrpc/message.ts';
import type { Ask, ListMethod } from './ask.ts';
import type { Carrier } from './carrier.ts';
import { isPlainTemplate, isPlainUri } from './resource-uri.ts';
import type { ToolBook } from './tool-book.ts';
import { placeholder } from './tool-definition.ts';
import { definitionUnit, type KnownTool, unitOf } from './units.ts';
import { isPlainName, visibleText } from './visible-text.ts';

export interface ListsPorts {
  readonly session: Session;
  readonly carrier: Carrier;
  readonly tools: ToolBook;
}

const pageOfTools = 200;
const mostItems = 5_000;
const mostCursors = 200;
const longestTitle = 256;
const longestDescription = 8_192;

/**
 * What a target lists, as this principal may know it: without what policy would refuse, and without what is not
 * understood. Texts in it are the target's, and are shown masked and without what cannot be seen.
 */
export class Lists {
  readonly #ports: ListsPorts;
  /** Cursors that were given out: a client passes on one of these, or none. */
  readonly #cursors = new Set<string>();

  constructor(ports: ListsPorts) {
    this.#ports = ports;
  }

  /** A whole list is read from the target, so that names that occur twice are found; it is given out page by page. */
  async tools(cursor: string | undefined, signal: AbortSignal): Promise<JsonObject> {
    if (cursor === undefined) this.#ports.tools.forget();
    const from = cursor === undefined ? 0 : this.#offset(cursor);
    const known = await this.#ports.tools.all();
    const names = [...known.keys()].sort();
    const page = names.slice(from, from + pageOfTools);
    const shown: Json[] = [];
    for (const name of page) {
      const tool = known.get(name);
      const definition = tool && (await this.#tool(tool, signal));
      if (definition) shown.push(this.#masked(definition));
    }
    const next = from + pageOfTools;
    return next < names.length ? { tools: shown, nextCursor: this.#remember(`tools:${next}`) } : { tools: shown };
  }

  /** What the target gave as one page of a list. */
  page(method: Exclude<ListMethod, 'tools/list'>, result: JsonObject): JsonObject {
    const { key, read } = kinds[method];
    const items = result[key];
    if (!Array.isArray(items) || items.length > mostItems) {
      throw new CoreError('upstream_protocol', 'upstream', 'The target gave a list that makes no sense.');
    }
    const shown: Json[] = [];
    for (const item of items as readonly Json[]) {
      const found = isObject(item) ? read(item) : undefined;
      if (found && this.#wanted(found.ask)) shown.push(this.#masked(found.shown));
    }
    const { nextCursor } = result;
    return typeof nextCursor === 'string' && nextCursor.length <= 1_024
      ? { [key]: shown, nextCursor: this.#remember(nextCursor) }
      : { [key]: shown };
  }

  /** Throws `NotAMessage` for a cursor that was not given out in this session. */
  check(cursor: string | undefined): void {
    if (cursor === undefined || this.#cursors.has(cursor)) return;
    throw new NotAMessage('Invalid params: cursor is none of this session.', undefined, rpcCodes.invalidParams);
  }

  async #tool(tool: KnownTool, signal: AbortSignal): Promise<JsonObject | undefined> {
    const { session, carrier, tools } = this.#ports;
    const { name: target } = session.info.target;
    const { definition, standing } = tool;
    const call = session.would(unitOf(target, { method: 'tools/call', name: definition.name }, { tool }));
    if (call === 'deny') return undefined;
    if (standing.state === 'pinned') return definition.shown;
    if (session.would(definitionUnit(target, tool)) === 'allow') {
      const outcome = await carrier.decide(definitionUnit(target, tool), signal);
      if (outcome.effect === 'allow') {
        await carrier.effect(outcome, () => tools.pin(tool));
        return definition.shown;
      }
    }
    return placeholder(definition.name, standing.state === 'changed');
  }

  #wanted(ask: Ask | undefined): boolean {
    const { session } = this.#ports;
    return ask === undefined || session.would(unitOf(session.info.target.name, ask)) !== 'deny';
  }

  #masked(shown: JsonObject): Json {
    return this.#ports.session.texts.json(shown, () => []).value;
  }

  #remember(cursor: string): string {
    const [oldest] = this.#cursors;
    if (this.#cursors.size >= mostCursors && oldest !== undefined) this.#cursors.delete(oldest);
    this.#cursors.add(cursor);
    return cursor;
  }

  #offset(cursor: string): number {
    this.check(cursor);
    const offset = Number(/^tools:(\d{1,6})$/.exec(cursor)?.[1]);
    if (Number.isSafeInteger(offset)) return offset;
    throw new NotAMessage('Invalid params: cursor is none of this list.', undefined, rpcCodes.invalidParams);
  }
}

interface Item {
  readonly shown: JsonObject;
  /** What the client would do with it; policy says whether it may. */
  readonly ask?: Ask;
}

interface Kind {
  readonly key: string;
  read(item: JsonObject): Item | undefined;
}

const kinds: Readonly<Record<Exclude<ListMethod, 'tools/list'>, Kind>> = {
  'resources/list': {
    key: 'resources',
    read(item) {
      const { uri, name, size } = item;
      if (typeof uri !== 'string' || !isPlainUri(uri) || typeof name !== 'string') return undefined;
      const shown = { uri, name: visibleText(name, longestTitle), ...described(item), ...number('size', size) };
      return { shown, ask: { method: 'resources/read', uri } };
    },
  },
  'resources/templates/list': {
    key: 'resourceTemplates',
    read(item) {
      const { uriTemplate, name } = item;
      if (typeof uriTemplate !== 'string' || !isPlainTemplate(uriTemplate) || typeof name !== 'string')
        return undefined;
      return { shown: { uriTemplate, name: visibleText(name, longestTitle), ...described(item) } };
    },
  },
  'prompts/list': {
    key: 'prompts',
    read(item) {
      const { name, arguments: given } = item;
      if (typeof name !== 'string' || !isPlainName(name, longestTitle)) return undefined;
      const args = Array.isArray(given) ? { arguments: (given as readonly Json[]).flatMap(promptArgument) } : {};
      return { shown: { name, ...described(item), ...args }, ask: { method: 'prompts/get', name } };
    },
  },
};

function promptArgument(argument: Json): readonly JsonObject[] {
  if (!isObject(argument)) return [];
  const { name, required } = argument;
  if (typeof name !== 'string' || !isPlainName(name, longestTitle)) return [];
  return [{ name, ...described(argument), ...(typeof required === 'boolean' ? { required } : {}) }];
}

function described({ title, description, mimeType }: JsonObject): JsonObject {
  return {
    ...(typeof title === 'string' ? { title: visibleText(title, longestTitle) } : {}),
    ...(typeof description === 'string' ? { description: visibleText(description, longestDescription) } : {}),
    ...(typeof mimeType === 'string' ? { mimeType: visibleText(mimeType, longestTitle) } : {}),
  };
}

function number(name: string, value: Json | undefined): JsonObject {
  return typeof value === 'number' ? { [name]: value } : {};
}
