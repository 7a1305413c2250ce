/** The gateway's own connection to a target, for reading the catalog; opened when needed, closed when idle. */
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { DialAside, UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { QueryRunner } from './catalog/catalog.ts';
import { MessageReader } from './login/message-reader.ts';
import { logIn } from './login/upstream-login.ts';
import { readTextRow } from './protocol/backend.ts';
import { server } from './protocol/codes.ts';
import { readFields } from './protocol/fields.ts';
import { query, terminate } from './protocol/messages.ts';

const idleTime = 60_000;
/** Sessions wait for the catalog: a server that does not answer must not keep them for ever. */
const answerTime = 20_000;
/** A catalog row may hold the definition of a large view or function. */
const largestMessage = 16_777_216;

interface Open {
  readonly access: UpstreamAccess;
  readonly reader: MessageReader;
}

export class CatalogConnection {
  readonly #dial: DialAside;
  readonly #target: string;
  readonly #clock: Clock;
  #open: Open | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #cancelIdle: (() => void) | undefined;
  #closed = false;

  constructor(dial: DialAside, target: string, clock: Clock) {
    this.#dial = dial;
    this.#target = target;
    this.#clock = clock;
  }

  /** One query at a time; after any failure the connection is opened anew. */
  readonly run: QueryRunner = (sql) => {
    const answer = this.#queue.then(() => this.#run(sql));
    this.#queue = answer.catch(() => undefined);
    return answer;
  };

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #run(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    if (this.#closed) throw new CoreError('stopping', 'gateway', 'The gateway is stopping.');
    this.#cancelIdle?.();
    let stopClock = (): void => {};
    try {
      const open = await this.#connected();
      stopClock = this.#clock.after(answerTime, () => open.access.socket.destroy());
      return await answerOf(open, sql);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      stopClock();
      this.#cancelIdle = this.#clock.after(idleTime, () => this.#drop());
    }
  }

  async #connected(): Promise<Open> {
    this.#open ??= await this.#connect();
    return this.#open;
  }

  async #connect(): Promise<Open> {
    const access = await this.#dial(this.#target);
    try {
      const settings = new Map([
        ['application_name', 'sluice catalog'],
        ['default_transaction_read_only', 'on'],
      ]);
      const { rest } = await logIn(access, settings, this.#clock);
      const open = { access, reader: new MessageReader(access.socket, 'upstream', largestMessage, rest) };
      // A server that was restarted must not make the next question fail.
      void open.reader.gone.then(() => {
        if (this.#open === open) this.#drop();
      });
      return open;
    } catch (error) {
      access.socket.destroy();
      throw error;
    }
  }

  #drop(): void {
    this.#cancelIdle?.();
    const open = this.#open;
    this.#open = undefined;
    if (!open) return;
    open.access.socket.write(terminate);
    open.access.socket.end();
  }
}

async function answerOf({ access, reader }: Open, sql: string): Promise<(string | null)[][]> {
  access.socket.write(query(sql));
  const rows: (string | null)[][] = [];
  let failure: CoreError | undefined;
  for (;;) {
    const { type, frame } = await reader.message();
    if (type === server.dataRow) rows.push(readTextRow(frame));
    else if (type === server.error) {
      failure = new CoreError(
        'upstream_protocol',
        'upstream',
        'The database refused to show its catalog to the gateway.',
        {
          detail: readFields(frame).get('M') ?? '',
        },
      );
    } else if (type === server.readyForQuery) {
      if (failure) throw failure;
      return rows;
    }
  }
}
