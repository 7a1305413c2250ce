/**
 * Statements for callers that do not speak PostgreSQL: a client of the protocol inside the process, connected to the
 * very code that serves every other client. Nothing is judged, masked or recorded here; what is done is to ask, to wait,
 * and to put what came back into JSON.
 */
import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';
import type { Admission, Opening } from '@sluice/core/contract/connector.ts';
import { unauthenticated } from '@sluice/core/contract/identity.ts';
import { cursorGone, type OperationResult, type OperationSession } from '@sluice/core/contract/operations.ts';
import type { Denial } from '@sluice/core/contract/session.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import { linkPair } from '../../wire/link-pair.ts';
import { type ServePorts, serve } from '../session/serve.ts';
import type { Grounds } from '../session/understand.ts';
import { ArgumentError, type Asked, describeArguments, queryArguments } from './arguments.ts';
import { describeTables } from './describe.ts';
import { resultOf, sessionKept } from './result.ts';
import { type Findings, WatchedSession } from './watched-session.ts';
import { type Answer, type Manner, WireClient } from './wire-client.ts';

export interface OperatePorts extends ServePorts {
  /** What gives texts their meaning in a session of the target that has changed nothing yet. */
  groundsOf(target: string): Promise<Grounds>;
}

/** Calls that may wait for the ones before them. */
const mostWaiting = 32;
/** Milliseconds that one statement may take. */
const longestStatement = 120_000;

/** Rejects like `open`, and when the target refuses the session. */
export async function openOperationSession(
  ports: OperatePorts,
  opening: Opening,
  open: Admission['open'],
): Promise<OperationSession> {
  const { near, far } = linkPair('the gateway');
  const client = new WireClient(near);
  let session: WatchedSession | undefined;
  let why: unknown;
  let over: (reason: EndReason) => void = () => {};
  const ended = new Promise<EndReason>((resolve) => {
    over = resolve;
  });
  const admission: Admission = {
    identity: proven(opening),
    open: async (asked) => {
      try {
        const gone = Promise.race([asked.gone, opening.gone]);
        const opened = await open({ ...opening, gone });
        session = new WatchedSession(opened, (reason, error) => {
          why ??= error;
          over(reason);
        });
        return session;
      } catch (error) {
        why = error;
        throw error;
      }
    },
    // Whoever asked is told; and what was refused before it had a session has no connection of its own to speak of.
    refused: () => {},
  };
  const served = serve(ports, far, admission);
  served.catch((error) => {
    why ??= error;
    near.destroy();
  });
  try {
    await client.start(startup(opening), '');
  } catch (error) {
    throw why instanceof SluiceError ? why : error;
  }
  if (session === undefined) throw new CoreError('internal', 'gateway', 'The session was not opened.');
  return new SqlOperationSession(ports, client, session, ended, over);
}

class SqlOperationSession implements OperationSession {
  readonly session: string;
  readonly over: Promise<EndReason>;
  readonly #ports: OperatePorts;
  readonly #client: WireClient;
  readonly #watched: WatchedSession;
  readonly #ended: (reason: EndReason) => void;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #done = false;
  /** Of the statement whose rows are kept: how many were given, and how its columns were shown. */
  #given: { readonly rows: number; readonly columns: Findings['columns'] } | undefined;

  constructor(
    ports: OperatePorts,
    client: WireClient,
    watched: WatchedSession,
    over: Promise<EndReason>,
    ended: (reason: EndReason) => void,
  ) {
    this.#ports = ports;
    this.#client = client;
    this.#watched = watched;
    this.session = watched.info.id;
    this.over = over;
    this.#ended = ended;
    void over.then(() => {
      this.#done = true;
    });
  }

  async call(
    name: string,
    input: JsonObject,
    run: RunContext | undefined,
    signal: AbortSignalLike,
  ): Promise<OperationResult> {
    if (this.#waiting >= mostWaiting) {
      return failed('busy', `${mostWaiting} operations wait for this one session already. Wait for their answers.`);
    }
    this.#waiting++;
    const answer = this.#queue.then(() => this.#one(name, input, run, signal)).finally(() => this.#waiting--);
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#done = true;
    this.#client.close();
    this.#ended('client_closed');
  }

  async #one(
    name: string,
    input: JsonObject,
    run: RunContext | undefined,
    signal: AbortSignalLike,
  ): Promise<OperationResult> {
    // Nothing of it was begun: whoever asked may ask another session.
    if (this.#done) throw new CoreError('session_over', 'gateway', 'The session is over.');
    if (signal.aborted) return failed('cancelled', 'The caller gave up before it began.');
    this.#watched.run = run;
    this.#watched.findings = {};
    try {
      const asked = name === 'query' ? queryArguments(input) : undefined;
      if (asked?.kind !== 'more') await this.#letGo();
      if (asked) return await this.#query(asked, signal);
      if (name === 'describe') return await this.#describe(describeArguments(input));
      return failed('unknown_operation', 'There is no such operation for databases.');
    } catch (error) {
      if (error instanceof ArgumentError) return failed('arguments', error.message);
      if (error instanceof SluiceError) return failed(error.code, error.publicMessage);
      this.#ports.log.warn({ session: this.session, err: error }, 'operation failed');
      return failed('internal', 'The gateway met an internal error; its log says more.');
    }
  }

  /** What is not asked with the cursor ends it: its transaction must not be the next statement's. */
  async #query(asked: Asked, signal: AbortSignalLike): Promise<OperationResult> {
    const before = asked.kind === 'more' ? this.#given : undefined;
    if (asked.kind === 'more' && before === undefined) return cursorGone;
    let crowded = false;
    const keeps = (): boolean => {
      // A policy that limits rows has given what it gives.
      if (this.#watched.findings.rowLimit) return false;
      crowded = this.#waiting > 1;
      return !crowded;
    };
    const answer = await this.#cancelling(signal, () =>
      asked.kind === 'more'
        ? this.#client.more({ ...asked, keeps })
        : this.#client.ask({ ...asked, keeps, manner: () => this.#manner() }),
    );
    const { findings } = this.#watched;
    if (before?.columns) findings.columns ??= before.columns;
    const rows = (before?.rows ?? 0) + answer.rows.length;
    this.#given = answer.kept ? { rows, columns: findings.columns } : undefined;
    // What a statement changed for its session is gone with it, so that no call means something else than it says.
    if (!sessionKept(answer, findings)) this.close();
    const around = { ...(before ? { before: before.rows } : {}), crowded };
    const result = resultOf(answer, findings, (oid) => this.#typeOf(oid), around);
    return before && result.outcome === 'refused' && result.denial.decision === 'hold'
      ? nowHeld(result.denial)
      : result;
  }

  /** What has effects runs to its end; of what only reads, no more is fetched than is wanted, and the rest may wait. */
  #manner(): Manner {
    const { effects, lasting } = this.#watched.findings;
    if (effects) return 'whole';
    return lasting ? 'part' : 'pausing';
  }

  async #cancelling(signal: AbortSignalLike, ask: () => Promise<Answer>): Promise<Answer> {
    const cancel = (): void => {
      const { key } = this.#client;
      if (key) this.#ports.cancelKeys.cancel(key.pid, key.secret);
    };
    const stopClock = this.#ports.clock.after(longestStatement, cancel);
    signal.addEventListener('abort', cancel);
    try {
      return await ask();
    } finally {
      stopClock();
      signal.removeEventListener('abort', cancel);
    }
  }

  async #letGo(): Promise<void> {
    this.#given = undefined;
    await this.#client.letGo();
  }

  async #describe(filter: string): Promise<OperationResult> {
    const grounds = await this.#ports.groundsOf(this.#watched.info.target.name);
    return { outcome: 'done', value: await describeTables(this.#watched, grounds, filter) };
  }

  #typeOf(oid: number) {
    return this.#ports.catalogOf(this.#watched.info.target.name).current().typeByOid(oid);
  }
}

/** Who asks was proven where they came in; this connection is theirs and nobody else's. */
function proven(opening: Opening): Admission['identity'] {
  const never = () => Promise.reject(unauthenticated(undefined, 'no proof is asked for within the gateway'));
  return {
    bearer: () => Promise.resolve(opening.principal),
    isCredentialId: () => false,
    scramVerifier: never,
    redeem: never,
    proves: () => Promise.resolve(false),
  };
}

function startup(opening: Opening): ReadonlyMap<string, string> {
  return new Map([
    ['user', 'operator'],
    ['database', opening.target],
    ['application_name', (opening.application ?? 'sluice').slice(0, 128)],
    ['datestyle', 'ISO, YMD'],
  ]);
}

/** The request is for the statement, which is sent again; the cursor is gone, so that it can't be. */
function nowHeld({ reason }: Denial): OperationResult {
  const next = 'The cursor is closed. Send the statement itself again: it finds the same access request.';
  return failed('cursor_gone', `More rows need consent now. ${reason} ${next}`);
}

function failed(code: string, message: string): OperationResult {
  return { outcome: 'failed', code, message };
}
