/** The client's messages by kind: which there are, what each needs before it is handled, and how much of it is kept. */
import { client } from '../protocol/codes.ts';
import type { Treatment } from '../protocol/framer.ts';
import type { Conversation } from './conversation.ts';

const known: ReadonlySet<number> = new Set(Object.values(client).filter((type) => type !== client.password));
const bodiless: ReadonlySet<number> = new Set([client.sync, client.flush, client.terminate, client.copyDone]);
/** The server answers them only up to a Sync. */
export const extended: ReadonlySet<number> = new Set([
  client.parse,
  client.bind,
  client.describe,
  client.execute,
  client.close,
  client.flush,
]);
export const needsMeaning: ReadonlySet<number> = new Set([client.query, client.parse, client.bind, client.execute]);
/** Judged by nobody, but what they name may only come to be, or go, by a statement under way. */
export const namesOnly: ReadonlySet<number> = new Set([client.describe, client.close]);

const streamFrom = 1_048_576;

/** By type and length on the wire, before anything of the body was kept. */
export function treatmentOf({ ports, session }: Conversation, type: number, length: number): Treatment {
  const { limits } = ports;
  // What cannot be a message is refused by its header: nothing waits for a body that may never come.
  if (!known.has(type) || (bodiless.has(type) && length !== 4)) {
    session.refuse(`0x${type.toString(16)}`, '', 'Not a message of the protocol.');
    return 'fatal';
  }
  if ((type === client.query || type === client.parse) && length > limits.statementBytes) return 'skip';
  if (type === client.copyData && length > streamFrom) return 'stream';
  return length > limits.messageBytes ? 'fatal' : 'keep';
}
