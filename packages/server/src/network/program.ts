/** Starts programs that are targets: the only processes of the gateway beside its own and its workers. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { UpstreamSocket } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** How long a program has to end by itself once its input is closed, and then once more after it was asked to. */
const patience = 2_000;

/**
 * Its standard input and output are the link; what it says on standard error is dropped, since it may hold anything. Its
 * environment is `PATH` and the target's secrets in upper case: nothing of the gateway's own gets into it. Rejects with
 * `upstream_unreachable` when it can't be started; the public text does not name the program.
 */
export async function startProgram(
  target: string,
  [program = '', ...args]: readonly string[],
  secrets: Readonly<Record<string, Redacted>>,
  path: string,
): Promise<UpstreamSocket> {
  const env = Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key.toUpperCase(), secret.reveal()]));
  // In a group of its own: a wrapper (`sh`, `npx`) starts the server that has to end with it.
  const child = spawn(program, args, {
    env: { PATH: path, ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        new CoreError(
          'upstream_unreachable',
          'upstream',
          `The target "${target}" cannot be reached. Try again later, or tell its operator.`,
          { cause, detail: `target ${target}: the program ${program} could not be started: ${cause.message}` },
        ),
      ),
    );
  });
  return new ProgramLink(child);
}

class ProgramLink implements UpstreamSocket {
  readonly remote: string;
  readonly loopback = true;
  readonly secure = false;
  readonly #child: Child;
  #onData: (chunk: Uint8Array) => void = () => {};
  #onClose: (error?: Error) => void = () => {};
  #onDrain: () => void = () => {};
  #error: Error | undefined;
  #closed = false;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: Child) {
    this.#child = child;
    this.remote = `process:${child.pid ?? 0}`;
    child.stdout.pause();
    child.stdout.on('data', (chunk: Buffer) => this.#onData(chunk));
    child.stdin.on('drain', () => this.#onDrain());
    const failed = (error: Error): void => {
      this.#error ??= error;
    };
    child.on('error', failed);
    child.stdin.on('error', failed);
    child.stdout.on('error', failed);
    child.once('close', () => {
      clearTimeout(this.#timer);
      this.#closed = true;
      // What it started and did not wait for.
      this.#stop('SIGTERM');
      this.#onClose(this.#error);
    });
  }

  startTls(): Promise<void> {
    return Promise.reject(new CoreError('upstream_login', 'gateway', 'A program is not spoken to over TLS.'));
  }

  channelBinding(): undefined {
    return undefined;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#onData = callback;
    this.#child.stdout.resume();
  }

  onClose(callback: (error?: Error) => void): void {
    this.#onClose = callback;
    if (this.#closed) queueMicrotask(() => callback(this.#error));
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  write(bytes: Uint8Array): boolean {
    return this.#child.stdin.destroyed || this.#child.stdin.writableEnded ? true : this.#child.stdin.write(bytes);
  }

  cork(): void {
    this.#child.stdin.cork();
  }

  uncork(): void {
    this.#child.stdin.uncork();
  }

  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#child.stdin.end();
    this.#child.stdout.resume();
    this.#afterPatience(() => this.#stop('SIGTERM'));
  }

  destroy(): void {
    this.#ending = true;
    if (this.#closed) return;
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#stop('SIGTERM');
  }

  #stop(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // All of the group are gone.
      return;
    }
    if (signal === 'SIGTERM') this.#afterPatience(() => this.#stop('SIGKILL'));
  }

  #afterPatience(act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, patience);
  }
}
