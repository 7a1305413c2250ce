/** A client's session for the contract suite, in PostgreSQL's protocol; how an answer is read is in here and nowhere else. */
import { ScramClient } from '@sluice/connectors/wire/scram.ts';
import {
  bind,
  cancelRequest,
  cellsOf,
  cstring,
  describe,
  execute,
  fieldsOf,
  int16,
  int32,
  message,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  startup,
  sync,
} from '../harness/raw-postgres.ts';
import type { Address, Answer, Ask, ContractSession, Opened, Proof, Words } from './adapter.ts';

export const forms = ['simple', 'extended', 'binary'] as const;

export async function openPostgres(at: Address, proof: Proof, target: string): Promise<Opened> {
  const client = await RawPostgres.open(at.host, at.port);
  const user = proof.kind === 'credential' ? proof.id : 'anyone';
  client.send(startup({ user, database: target }));
  let scram: ScramClient | undefined;
  let key: RawMessage | undefined;
  for (;;) {
    const found = await client.message();
    if (!found) return { open: false, words: { code: '', message: '' } };
    if (found.type === 'E') {
      client.end();
      return { open: false, words: wordsOf(found) };
    }
    if (found.type === 'K') key = found;
    if (found.type === 'Z') break;
    if (found.type !== 'R') continue;
    const code = found.body.readInt32BE(0);
    const rest = found.body.toString('utf8', 4);
    // Protocol "AuthenticationCleartextPassword", "AuthenticationSASL", "AuthenticationSASLContinue".
    if (code === 3 && proof.kind === 'token') client.send(message('p', cstring(proof.token)));
    else if (code === 10) {
      scram = new ScramClient({ kind: 'none' });
      const first = Buffer.from(scram.first());
      client.send(message('p', cstring('SCRAM-SHA-256'), int32(first.length), first));
    } else if (code === 11 && scram && proof.kind === 'credential') {
      client.send(message('p', Buffer.from(await scram.final(rest, proof.secret))));
    } else if (code === 12) scram?.verify(rest);
  }
  if (!key) throw new Error('no key to cancel with');
  return { open: true, session: new PostgresSession(client, at, key) };
}

class PostgresSession implements ContractSession {
  readonly #client: RawPostgres;
  readonly #at: Address;
  readonly #key: RawMessage;
  readonly #answers = new Queue<Answer>();
  readonly #notices = new Queue<{ readonly request: string }>();
  readonly #ended: Promise<Words | undefined>;
  readonly #received: Buffer[] = [];

  constructor(client: RawPostgres, at: Address, key: RawMessage) {
    this.#client = client;
    this.#at = at;
    this.#key = key;
    this.#ended = this.#listen();
  }

  send(...asks: readonly Ask[]): void {
    this.#client.send(...asks.map(bytesOf));
  }

  answer(): Promise<Answer> {
    return this.#answers.next();
  }

  notice(): Promise<{ readonly request: string }> {
    return this.#notices.next();
  }

  raw(bytes: Uint8Array): void {
    this.#client.send(bytes);
  }

  async cancel(): Promise<void> {
    const other = await RawPostgres.open(this.#at.host, this.#at.port);
    other.send(cancelRequest(this.#key.body.readInt32BE(0), this.#key.body.subarray(4)));
    await other.rest();
  }

  async close(): Promise<void> {
    this.#client.send(message('X'));
    await this.#ended;
  }

  drop(): void {
    this.#client.end();
  }

  ended(): Promise<Words | undefined> {
    return this.#ended;
  }

  received(): Buffer {
    return Buffer.concat(this.#received);
  }

  async #listen(): Promise<Words | undefined> {
    let last: Words | undefined;
    let open: RawMessage[] = [];
    for (let found = await this.#client.message(); found; found = await this.#client.message()) {
      this.#received.push(Buffer.from(found.type), found.body);
      const detail = found.type === 'N' ? detailOf(found) : undefined;
      if (typeof detail?.['request'] === 'string') this.#notices.add({ request: detail['request'] });
      if (found.type === 'E' && fieldsOf(found)['V'] === 'FATAL') last = wordsOf(found);
      if (found.type !== 'Z') open.push(found);
      else {
        this.#answers.add(answerOf(open));
        open = [];
      }
    }
    const over = new Error(`the session ended: ${last?.code} ${last?.message}`);
    this.#answers.end(over);
    this.#notices.end(over);
    return last;
  }
}

function bytesOf({ text, form }: Ask): Buffer {
  if (form === undefined || form === 'simple') return query(text);
  const how = form === 'binary' ? binaryBind : bind('', '');
  return Buffer.concat([parse('', text), how, describe('P', ''), execute(''), sync]);
}

/** Protocol "Bind" with one format code for all columns of the result: binary. */
const binaryBind = message('B', cstring(''), cstring(''), int16(0), int16(0), int16(1), int16(1));

function answerOf(messages: readonly RawMessage[]): Answer {
  const error = messages.find(({ type }) => type === 'E');
  if (!error) {
    const rows = messages.filter(({ type }) => type === 'D').map(cellsOf);
    const copied = messages.filter(({ type }) => type === 'd').map(({ body }) => [body.toString('utf8')]);
    const all = [...rows, ...copied];
    return { outcome: 'done', values: all.flat(), items: all.length };
  }
  const detail = detailOf(error);
  if (typeof detail?.['decision'] !== 'string') return { outcome: 'failed', ...wordsOf(error) };
  const { M = '', H = '' } = fieldsOf(error);
  const refusal = {
    decision: detail['decision'],
    reason: M,
    policies: detail['policies'] as string[],
    request: (detail['request'] as string | null) ?? undefined,
    url: (detail['url'] as string | null) ?? undefined,
    hint: H,
  };
  return { outcome: 'refused', ...wordsOf(error), refusal };
}

function wordsOf(found: RawMessage): Words {
  const { C = '', M = '' } = fieldsOf(found);
  return { code: C, message: M };
}

/** The line of JSON that the gateway's own errors and notices have for programs. */
function detailOf(found: RawMessage): Readonly<Record<string, unknown>> | undefined {
  const { D } = fieldsOf(found);
  return D?.startsWith('{"decision"') ? (JSON.parse(D) as Record<string, unknown>) : undefined;
}

/** What arrives, for whoever waits for it, in order. */
class Queue<T> {
  readonly #there: T[] = [];
  readonly #waiting: { resolve(value: T): void; reject(error: Error): void }[] = [];
  #over: Error | undefined;

  add(value: T): void {
    const first = this.#waiting.shift();
    if (first) first.resolve(value);
    else this.#there.push(value);
  }

  end(error: Error): void {
    this.#over = error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  async next(): Promise<T> {
    const value = this.#there.shift();
    if (value !== undefined) return value;
    if (this.#over) throw this.#over;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}
