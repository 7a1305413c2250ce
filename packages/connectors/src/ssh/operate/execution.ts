import { Buffer } from 'node:buffer';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { Client, ClientChannel as TargetChannel } from 'ssh2';
import { Output } from '../session/output.ts';
import { signalName } from '../session/signals.ts';
import { commandOf } from '../session/units.ts';
import { sendSignal } from '../transport/wire.ts';
import { mostOutput } from './declarations.ts';

/** Between asking the target to end a command and not waiting for it any more; milliseconds. */
const stopping = 5_000;

export interface ExecutionParts {
  readonly session: Session;
  readonly upstream: Client;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly longest: number;
}

/** One command for a caller that waits for all of it: started, its output masked, recorded and kept up to a limit. */
export class Execution {
  readonly done: Promise<JsonObject>;
  readonly #p: ExecutionParts;
  readonly #unit: number;
  readonly #kept: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  readonly #bytes: Record<'stdout' | 'stderr', number> = { stdout: 0, stderr: 0 };
  #truncated = false;
  #timedOut = false;
  #stopped = false;
  #target: TargetChannel | undefined;
  #stopWaiting: () => void = () => {};
  #resolve: (value: JsonObject) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** `unit` is the number that the decision has. */
  constructor(parts: ExecutionParts, unit: number) {
    this.#p = parts;
    this.#unit = unit;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const stopClock = parts.clock.after(parts.longest, () => {
      this.#timedOut = true;
      this.stop();
    });
    const stopWaiting = (): void => {
      stopClock();
      this.#stopWaiting();
    };
    this.done.then(stopWaiting, stopWaiting);
  }

  /** Called with the unit that was decided, and with no other. */
  begin(unit: Unit): void {
    this.#p.upstream.exec(commandOf(unit), (error, target) => {
      if (error) this.#lost('start', 'The target did not start the command.', error);
      else this.#started(target);
    });
  }

  stop(): void {
    if (!this.#stopped) this.#stopWaiting = this.#p.clock.after(stopping, () => this.#abandon());
    this.#stopped = true;
    if (this.#target) sendSignal(this.#p.upstream, this.#target, 'KILL');
    this.#target?.close();
  }

  /** A target that does not say that it ended, or that it began, keeps nobody waiting. */
  #abandon(): void {
    this.#lost('stop', 'The target did not say that the command ended; it may still run.');
  }

  #lost(code: string, message: string, cause?: Error): void {
    const { session } = this.#p;
    try {
      session.record({ type: 'error', unit: this.#unit, code, message, source: 'upstream' });
      session.flush();
      this.#reject(new CoreError('upstream_unreachable', 'upstream', message, { cause }));
    } catch (error) {
      this.#reject(error);
    }
  }

  /** The connection broke, or the session is over. */
  fail(error: unknown): void {
    this.stop();
    this.#reject(error);
  }

  #started(target: TargetChannel): void {
    this.#target = target;
    target.on('error', () => undefined);
    target.end();
    if (this.#stopped) this.stop();
    const flows = [
      { name: 'stdout', from: target },
      { name: 'stderr', from: target.stderr },
    ] as const;
    let exit: { readonly code: number | null; readonly signal?: string } = { code: null };
    let open = flows.length + 1;
    const outputs: { readonly name: 'stdout' | 'stderr'; readonly output: Output }[] = [];
    const ended = this.#guard(() => {
      if (--open > 0) return;
      // Where the stream was cut, its last word may be the beginning of a value that would have been masked.
      for (const { name, output } of outputs) if (this.#bytes[name] <= mostOutput) output.end();
      this.#finish(exit);
    });
    for (const { name, from } of flows) {
      const output = this.#output(name);
      outputs.push({ name, output });
      from.on(
        'data',
        this.#guard((bytes: Buffer) => this.#take(name, output, bytes)),
      );
      from.once('end', ended);
    }
    target.once('exit', (code: number | null, signal?: string) => {
      exit = { code, ...(signal === undefined ? {} : { signal: signalName(signal) }) };
    });
    target.once('close', ended);
  }

  #output(name: 'stdout' | 'stderr'): Output {
    const show = (bytes: Uint8Array): boolean => {
      this.#kept[name].push(Buffer.from(bytes));
      return true;
    };
    return new Output({ session: this.#p.session, unit: this.#unit, stream: name, show });
  }

  /** What goes beyond the limit is nobody's to see: it is taken, so that the command can end, and dropped. */
  #take(name: 'stdout' | 'stderr', output: Output, bytes: Buffer): void {
    const room = mostOutput - this.#bytes[name];
    this.#bytes[name] += bytes.length;
    if (room > 0) output.push(bytes.subarray(0, room));
    if (bytes.length <= room) return;
    const told = room < 0;
    this.#truncated = true;
    if (told) return;
    const detail = { unit: this.#unit, stream: name, bytes: mostOutput };
    this.#p.session.record({ type: 'event', name: 'output_limit', detail });
  }

  #finish({ code, signal }: { readonly code: number | null; readonly signal?: string }): void {
    const { session } = this.#p;
    if (code !== 0) {
      const message = signal === undefined ? `exit status ${code ?? 'unknown'}` : `ended by signal ${signal}`;
      session.record({
        type: 'error',
        unit: this.#unit,
        code: signal ?? String(code ?? ''),
        message,
        source: 'upstream',
      });
    }
    const tag = signal ?? `exit ${code ?? '?'}`;
    session.record({ type: 'complete', unit: this.#unit, tag, rows: 0, bytes: 0, digest: '' });
    session.flush();
    const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(this.#kept[name]).toString('utf8');
    this.#resolve({
      stdout: text('stdout'),
      stderr: text('stderr'),
      exit_code: code,
      ...(signal === undefined ? {} : { signal }),
      truncated: this.#truncated,
      timed_out: this.#timedOut,
    });
  }

  #guard<T extends readonly unknown[]>(act: (...args: T) => void): (...args: T) => void {
    return (...args) => {
      try {
        act(...args);
      } catch (error) {
        this.fail(error);
      }
    };
  }
}
