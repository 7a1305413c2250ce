/**
 * Commands for callers that do not speak SSH: a session at the target like any client's, and one call per command. What
 * a command means is found out, judged, masked and recorded exactly as for a client; there is no terminal and no input.
 */
import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';
import type { Admission, ConnectorPorts, Opening } from '@sluice/core/contract/connector.ts';
import type { OperationResult, OperationSession } from '@sluice/core/contract/operations.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { Client } from 'ssh2';
import { logIn } from '../login/upstream-login.ts';
import { execUnit, type Understand } from '../session/units.ts';
import { sendSignalToAll, watchChannels } from '../transport/wire.ts';
import { seconds } from './declarations.ts';
import { Execution } from './execution.ts';

/** Commands of one session at a time. */
const mostAtOnce = 8;

export interface OperatePorts extends ConnectorPorts {
  readonly understand: Understand;
}

/** Rejects like `open`, and when the target refuses the session. */
export async function openOperationSession(
  ports: OperatePorts,
  opening: Opening,
  open: Admission['open'],
): Promise<OperationSession> {
  const session = await open(opening);
  try {
    const { client } = await logIn(session.upstream, session.info.target.name, ports.clock);
    return new SshOperationSession(ports, session, client);
  } catch (error) {
    session.end('upstream_closed', error instanceof Error ? error : undefined);
    throw error;
  }
}

class SshOperationSession implements OperationSession {
  readonly session: string;
  readonly over: Promise<EndReason>;
  readonly #ports: OperatePorts;
  readonly #session: Session;
  readonly #upstream: Client;
  readonly #running = new Set<Execution>();
  #reason: EndReason | undefined;
  #ended: (reason: EndReason) => void = () => {};
  #calls = 0;

  constructor(ports: OperatePorts, session: Session, upstream: Client) {
    this.#ports = ports;
    this.#session = session;
    this.#upstream = upstream;
    this.session = session.info.id;
    this.over = new Promise((resolve) => {
      this.#ended = resolve;
    });
    session.onLeaving(() => {
      for (const execution of this.#running) execution.stop();
      // What was begun, and not yet answered, has no channel here that could be told.
      sendSignalToAll(upstream, 'KILL');
    });
    session.onEnd((reason, message) => this.#over(reason, new CoreError('session_over', 'gateway', message)));
    const lost = (cause?: Error): void =>
      this.#end(
        'upstream_closed',
        new CoreError('upstream_unreachable', 'upstream', 'The target closed the connection.', { cause }),
      );
    upstream.on('error', lost);
    upstream.on('end', () => lost());
    upstream.on('close', () => lost());
    watchChannels(upstream, { violated: (why) => lost(new Error(`the target sent ${why}`)) });
  }

  async call(
    name: string,
    input: JsonObject,
    run: RunContext | undefined,
    signal: AbortSignalLike,
  ): Promise<OperationResult> {
    // Nothing of it was begun: whoever asked may ask another session.
    if (this.#reason) throw new CoreError('session_over', 'gateway', 'The session is over.');
    if (name !== 'run') return failed('unknown_operation', 'There is no such operation for hosts.');
    if (signal.aborted) return failed('cancelled', 'The caller gave up before it began.');
    if (this.#calls >= mostAtOnce) {
      return failed('busy', `${mostAtOnce} commands run in this session already. Wait for their answers.`);
    }
    this.#calls++;
    try {
      return await this.#run(input, run, signal);
    } catch (error) {
      if (error instanceof SluiceError) {
        if (error.code === 'recording_failed') this.#end('recording_failed', error);
        return failed(error.code, error.publicMessage);
      }
      this.#ports.log.warn({ session: this.session, err: error }, 'operation failed');
      return failed('internal', 'The gateway met an internal error; its log says more.');
    } finally {
      this.#calls--;
    }
  }

  close(): void {
    this.#end('client_closed', new CoreError('session_over', 'gateway', 'The session is over.'));
  }

  async #run(input: JsonObject, run: RunContext | undefined, signal: AbortSignalLike): Promise<OperationResult> {
    const { command, timeout_seconds: given = seconds.usual } = input;
    const { statementBytes } = this.#ports.limits;
    if (typeof command !== 'string' || command === '') return failed('arguments', '"command" must be a text.');
    if (typeof given !== 'number' || !Number.isInteger(given) || given < 1 || given > seconds.most) {
      return failed('arguments', `"timeout_seconds" must be a whole number from 1 to ${seconds.most}.`);
    }
    const unit = this.#understood(command, statementBytes, run);
    let outcome = this.#session.judge(unit);
    this.#session.flush();
    if (outcome.effect === 'hold') {
      const held = outcome;
      const withdraw = (): void => held.withdraw();
      signal.addEventListener('abort', withdraw);
      outcome = await held.settled;
      signal.removeEventListener('abort', withdraw);
      this.#session.flush();
    }
    if (outcome.effect === 'deny') return { outcome: 'refused', denial: outcome.denial };
    if (signal.aborted) {
      this.#session.discard(outcome.permit);
      return failed('cancelled', 'The caller gave up before it began.');
    }
    const parts = {
      session: this.#session,
      upstream: this.#upstream,
      clock: this.#ports.clock,
      longest: given * 1_000,
    };
    const execution = new Execution(parts, outcome.handle.seq);
    const stop = (): void => execution.stop();
    this.#running.add(execution);
    signal.addEventListener('abort', stop);
    try {
      this.#session.carryOut(outcome.permit, (judged) => execution.begin(judged));
      return { outcome: 'done', value: await execution.done };
    } finally {
      signal.removeEventListener('abort', stop);
      this.#running.delete(execution);
    }
  }

  #understood(command: string, longest: number, run: RunContext | undefined) {
    const target = this.#session.info.target.name;
    try {
      if (Buffer.byteLength(command) > longest) {
        throw new CoreError('client_protocol', 'client', `The command is longer than ${longest} bytes.`);
      }
      return execUnit(this.#ports.understand, target, command, { environment: new Map(), run });
    } catch (error) {
      this.#session.refuse('run', command.slice(0, 256), error instanceof Error ? error.message : String(error));
      this.#session.flush();
      throw error;
    }
  }

  #end(reason: EndReason, error: CoreError | SluiceError): void {
    if (this.#reason) return;
    this.#session.end(reason, reason === 'client_closed' ? undefined : error);
    this.#over(reason, error);
  }

  #over(reason: EndReason, error: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    for (const execution of this.#running) execution.fail(error);
    this.#upstream.end();
    this.#ended(reason);
  }
}

function failed(code: string, message: string): OperationResult {
  return { outcome: 'failed', code, message };
}
