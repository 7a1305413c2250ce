import type { Link } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { type Column, readCommandTag, readRowDescription, readStatus, readTextRow } from '../protocol/backend.ts';
import { client, server, type TransactionStatus } from '../protocol/codes.ts';
import { type Fields, readFields } from '../protocol/fields.ts';
import { Framer, type Treatment } from '../protocol/framer.ts';
import { flush, passwordMessage, startupMessage, sync, terminate } from '../protocol/messages.ts';

const largestMessage = 16_777_216;
const mostNotices = 20;
/** In characters. */
const longestNotice = 2_000;

/** What came back for one statement, in the protocol's words. */
export interface Answer {
  columns: readonly Column[];
  readonly rows: (readonly (string | null)[])[];
  /** Why rows that came were left out: they were too many, or too large. */
  leftOut: 'rows' | 'bytes' | undefined;
  /** There are more rows than were wanted. */
  suspended: boolean;
  /** They can be had by `more`. */
  kept: boolean;
  tag: string;
  error: Fields | undefined;
  readonly notices: string[];
  /** The statement was a COPY, for which there is no room in an answer of rows. */
  copy: boolean;
  status: TransactionStatus;
}

/**
 * How a statement is carried out: `whole`, to its end, however few of its rows are wanted; in `part`, as far as they are
 * wanted; or `pausing`, so that the rest can be had later.
 */
export type Manner = 'whole' | 'part' | 'pausing';

export interface Portion {
  readonly rows: number;
  /** Bytes of all cells together. */
  readonly bytes: number;
  /** Asked when a pausing statement has more rows than wanted: whether they are kept. */
  keeps(): boolean;
}

export interface Wanted extends Portion {
  readonly text: string;
  readonly parameters: readonly (string | null)[];
  /** Asked once the database has understood the statement. */
  manner(): Manner;
}

interface Exchange {
  readonly answer: Answer;
  bytes: number;
  executed: boolean;
  /** The Sync that ends it was sent. */
  synced: boolean;
  readonly wanted: Portion & Partial<Pick<Wanted, 'manner'>>;
  readonly done: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
}

/**
 * The smallest client of PostgreSQL's protocol that can ask one thing after the other, with parameters and text results
 * (protocol, "Extended Query"). It speaks to the gateway itself, never to a server.
 */
export class WireClient {
  readonly #link: Link;
  readonly #framer: Framer;
  #ready: { readonly done: () => void; readonly failed: (error: Error) => void } | undefined;
  #exchange: Exchange | undefined;
  #last: Fields | undefined;
  /** What the rows look like that the last answer left behind, in a transaction that is open for them alone. */
  #kept: readonly Column[] | undefined;
  #over = false;
  /** What cancels the statement at work; there once the session is ready. */
  key: { readonly pid: number; readonly secret: Buffer } | undefined;

  constructor(link: Link) {
    this.#link = link;
    this.#framer = new Framer((type, length) => this.#treat(type, length), {
      frame: (type, frame) => this.#frame(type, frame),
      piece: () => {},
      oversized: () => {
        if (this.#exchange) this.#exchange.answer.leftOut ??= 'bytes';
      },
    });
    link.onData((chunk) => this.#push(chunk));
    link.onClose(() => this.#lost());
  }

  /** Logs in with these startup parameters; resolves when a statement may be sent. */
  start(parameters: ReadonlyMap<string, string>, password: string): Promise<void> {
    return new Promise((done, failed) => {
      this.#ready = { done, failed };
      this.#link.write(startupMessage(parameters));
      this.#link.write(passwordMessage(password));
    });
  }

  /** One at a time, and none while rows are kept. Rejects with `session_over` when the connection is lost meanwhile. */
  ask(wanted: Wanted): Promise<Answer> {
    return this.#begin(wanted, { columns: [], executed: false, synced: false }, question(wanted));
  }

  /** The next of the rows that were kept (protocol, "Extended Query": Execute of a suspended portal). */
  more(wanted: Portion): Promise<Answer> {
    const columns = this.#kept;
    if (columns === undefined) return Promise.reject(new Error('no rows are kept'));
    this.#kept = undefined;
    const execute = execution(wanted.rows, flush);
    return this.#begin(wanted, { columns, executed: true, synced: false }, execute);
  }

  /** Whether `more` has anything to give. */
  get keeps(): boolean {
    return this.#kept !== undefined;
  }

  /** Gives up the rows that were kept, and with them the transaction. */
  async letGo(): Promise<void> {
    if (this.#kept === undefined) return;
    this.#kept = undefined;
    const nothing: Portion = { rows: 0, bytes: 0, keeps: () => false };
    await this.#begin(nothing, { columns: [], executed: true, synced: true }, sync);
  }

  close(): void {
    if (this.#over) return;
    this.#link.write(terminate);
    this.#link.end();
  }

  #begin(
    wanted: Exchange['wanted'],
    { columns, ...state }: Pick<Exchange, 'executed' | 'synced'> & Pick<Answer, 'columns'>,
    bytes: Uint8Array,
  ): Promise<Answer> {
    return new Promise((done, failed) => {
      if (this.#over) {
        failed(this.#gone());
        return;
      }
      const answer: Answer = {
        columns,
        rows: [],
        leftOut: undefined,
        suspended: false,
        kept: false,
        tag: '',
        error: undefined,
        notices: [],
        copy: false,
        status: 'I',
      };
      this.#exchange = { answer, bytes: 0, ...state, wanted, done, failed };
      this.#link.write(bytes);
    });
  }

  #push(chunk: Uint8Array): void {
    try {
      this.#framer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error('unreadable answer'));
    }
  }

  #treat(type: number, length: number): Treatment {
    const most = this.#exchange?.wanted.bytes ?? largestMessage;
    if ((type === server.dataRow && length > most) || type === server.copyData) return 'skip';
    return length > largestMessage ? 'fatal' : 'keep';
  }

  #frame(type: number, frame: Buffer): void {
    switch (type) {
      case server.backendKey:
        this.key = keyOf(frame);
        return;
      case server.error:
        this.#error(readFields(frame));
        return;
      case server.readyForQuery:
        this.#readyForQuery(readStatus(frame));
        return;
      default:
        if (this.#exchange) this.#answer(this.#exchange, type, frame);
    }
  }

  #answer(exchange: Exchange, type: number, frame: Buffer): void {
    const { answer } = exchange;
    switch (type) {
      case server.rowDescription:
        answer.columns = readRowDescription(frame);
        this.#execute(exchange);
        return;
      case server.noData:
        this.#execute(exchange);
        return;
      case server.dataRow:
        this.#row(exchange, frame);
        return;
      case server.portalSuspended:
        this.#suspended(exchange);
        return;
      case server.commandComplete:
        answer.tag = readCommandTag(frame);
        this.#sync(exchange);
        return;
      case server.emptyQuery:
        this.#sync(exchange);
        return;
      case server.notice: {
        const message = readFields(frame).get('M') ?? '';
        if (answer.notices.length < mostNotices) answer.notices.push(message.slice(0, longestNotice));
        return;
      }
      case server.copyIn:
      case server.copyOut:
        // Nobody sends or wants the rows, and only the end of the connection stops it at once.
        answer.copy = true;
        this.#over = true;
        this.#exchange = undefined;
        this.#link.destroy();
        exchange.done(answer);
        return;
      default:
    }
  }

  #execute(exchange: Exchange): void {
    if (exchange.executed) return;
    exchange.executed = true;
    const manner = exchange.wanted.manner?.() ?? 'part';
    exchange.synced = manner !== 'pausing';
    const rows = manner === 'whole' ? 0 : exchange.wanted.rows;
    this.#link.write(execution(rows, exchange.synced ? sync : flush));
  }

  /** Without a Sync the transaction stays open, and with it the portal. What was left out here could not be had again. */
  #suspended(exchange: Exchange): void {
    const { answer, wanted } = exchange;
    answer.suspended = true;
    if (exchange.synced) return;
    if (answer.leftOut !== undefined || !wanted.keeps()) {
      this.#sync(exchange);
      return;
    }
    answer.kept = true;
    this.#kept = answer.columns;
    this.#exchange = undefined;
    exchange.done(answer);
  }

  #sync(exchange: Exchange): void {
    if (exchange.synced) return;
    exchange.synced = true;
    this.#link.write(sync);
  }

  #row(exchange: Exchange, frame: Buffer): void {
    const { answer, wanted } = exchange;
    exchange.bytes += frame.length;
    // Once one is left out, none behind it may look like the next.
    if (exchange.bytes > wanted.bytes) answer.leftOut ??= 'bytes';
    if (answer.rows.length >= wanted.rows) answer.leftOut ??= 'rows';
    if (answer.leftOut === undefined) answer.rows.push(readTextRow(frame));
  }

  #error(fields: Fields): void {
    this.#last = fields;
    const exchange = this.#exchange;
    if (!exchange) {
      // Said of nothing that was asked: the rows that were kept are gone, and so is all that they were in.
      if (this.#kept) this.#fail(this.#gone());
      return;
    }
    exchange.answer.error ??= fields;
    exchange.executed = true;
    this.#sync(exchange);
  }

  #readyForQuery(status: TransactionStatus): void {
    const starting = this.#ready;
    if (starting) {
      this.#ready = undefined;
      starting.done();
      return;
    }
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#exchange = undefined;
    exchange.answer.status = status;
    exchange.done(exchange.answer);
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    const starting = this.#ready;
    this.#over = true;
    this.#exchange = undefined;
    this.#ready = undefined;
    this.#kept = undefined;
    this.#link.destroy();
    exchange?.failed(error);
    starting?.failed(error);
  }

  #lost(): void {
    if (!this.#over) this.#fail(this.#gone());
  }

  #gone(): CoreError {
    const why = this.#last?.get('M') ?? 'The session at the target is over.';
    return new CoreError('session_over', 'gateway', why);
  }
}

/** Parse, Bind, Describe, Flush: what the statement is, before anything of it is done. */
function question({ text, parameters }: Wanted): Buffer {
  const writer = new ByteWriter(256 + text.length);
  message(writer, client.parse, () => writer.cstring('').cstring(text).int16(0));
  message(writer, client.bind, () => {
    writer.cstring('').cstring('').int16(0).int16(parameters.length);
    for (const value of parameters) {
      if (value === null) writer.int32(-1);
      else {
        const bytes = Buffer.from(value, 'utf8');
        writer.int32(bytes.length).bytes(bytes);
      }
    }
    writer.int16(0);
  });
  message(writer, client.describe, () => writer.text('P').cstring(''));
  return writer.bytes(flush).take();
}

/** Execute of the one portal there is, and what is to follow it: after a Sync the portal is gone. */
function execution(rows: number, end: Uint8Array): Buffer {
  const writer = new ByteWriter(64);
  message(writer, client.execute, () => writer.cstring('').int32(rows));
  return writer.bytes(end).take();
}

function message(writer: ByteWriter, type: number, fill: () => void): void {
  const start = writer.uint8(type).length;
  writer.int32(0);
  fill();
  writer.patchInt32(start, writer.length - start);
}

function keyOf(frame: Buffer): { readonly pid: number; readonly secret: Buffer } {
  const body = new ByteReader(frame, 5);
  return { pid: body.int32(), secret: Buffer.from(body.bytes(body.left)) };
}
