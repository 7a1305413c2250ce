/**
 * WebSocket (RFC 6455) from end to end: the handshake on both sides, and messages between them. Opening one is an
 * action; messages are read whole, recorded and masked before they go on. No extension is negotiated, so that what is
 * read is what was sent.
 */
import { createHash, randomBytes } from 'node:crypto';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { HttpHeader, HttpUpgrade } from '../../wire/http/exchange.ts';
import { headerTokens, soleHeader } from '../../wire/http/headers.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { badRequest } from '../request/bad-request.ts';
import type { Route } from '../route.ts';
import type { Conversation } from '../session/conversation.ts';
import { answerProblem, problemOf } from '../session/problem.ts';
import type { Receiver } from '../session/receiver.ts';
import { bridge } from './bridge.ts';

export function upgradeReceiver(upgrade: HttpUpgrade): Receiver {
  let responded = false;
  return {
    get responded() {
      return responded;
    },
    respond: () => {
      throw new Error('an upgrade is answered whole');
    },
    answer: async (head, body) => {
      responded = true;
      await upgrade.refuse(head, body);
    },
  };
}

export async function openWebSocket(
  conversation: Conversation,
  upgrade: HttpUpgrade,
  receiver: Receiver,
  route: Route,
): Promise<void> {
  const { method, headers, gone } = upgrade;
  const request = { method, path: route.path, headers, hasBody: false, body: noBody(), upgrade: true } as const;
  conversation.running += 1;
  try {
    const key = clientKey(headers);
    const opened = await conversation.open({ request, receiver, gone, prefix: route.prefix });
    if (!opened) return;
    const { understood, outcome } = opened;
    const own = randomBytes(16).toString('base64');
    const answer = await conversation.upgrade(outcome, own, gone);
    let fields: readonly HttpHeader[];
    try {
      fields = acceptFields(answer, own, headers, key);
    } catch (error) {
      answer.stream?.destroy();
      throw error;
    }
    if (!answer.stream) throw new HttpError('bad_response', `The target declined the WebSocket (${answer.status}).`);
    const client = upgrade.accept(fields);
    await bridge({
      conversation,
      unit: understood.unit,
      handle: outcome.handle,
      client,
      target: answer.stream,
      path: understood.path,
    });
  } catch (error) {
    if (receiver.responded || !(error instanceof SluiceError)) throw error;
    if (error.code === 'bad_request') conversation.refuse(request, error);
    await answerProblem(receiver, problemOf(error));
  } finally {
    conversation.running -= 1;
  }
}

/** Section 4.2.1. */
function clientKey(headers: readonly HttpHeader[]): string {
  const key = soleHeader(headers, 'sec-websocket-key');
  if (
    soleHeader(headers, 'sec-websocket-version') !== '13' ||
    key === undefined ||
    !/^[A-Za-z0-9+/]{22}==$/.test(key)
  ) {
    throw badRequest('A WebSocket is opened with version 13 and one key of 16 bytes.');
  }
  return key;
}

/** Section 4.1: what the target must have answered; and what the client is. */
function acceptFields(
  { status, headers }: { readonly status: number; readonly headers: readonly HttpHeader[] },
  own: string,
  asked: readonly HttpHeader[],
  key: string,
): readonly HttpHeader[] {
  if (status !== 101) throw new HttpError('bad_response', `The target declined the WebSocket (${status}).`);
  const protocol = soleHeader(headers, 'sec-websocket-protocol');
  const wrong =
    soleHeader(headers, 'sec-websocket-accept') !== acceptOf(own) ||
    headers.some(([name]) => name === 'sec-websocket-extensions') ||
    headers.filter(([name]) => name === 'sec-websocket-protocol').length > 1 ||
    (protocol !== undefined && !headerTokens(asked, 'sec-websocket-protocol').includes(protocol.toLowerCase()));
  if (wrong) throw new HttpError('bad_response', 'The target opened a WebSocket that was not asked for.');
  return [
    ['sec-websocket-accept', acceptOf(key)],
    ...(protocol === undefined ? [] : [['sec-websocket-protocol', protocol] as const]),
  ];
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

async function* noBody(): AsyncIterable<Uint8Array> {}
