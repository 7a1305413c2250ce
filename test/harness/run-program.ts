import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly ended: Promise<Finished>;
  /** Resolves once standard output holds a match; rejects when the program ends without one. */
  saw(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed unless `open`. */
  readonly input?: string;
  readonly open?: boolean;
  readonly cwd?: string;
}

/** Starts a real client program with an environment of its own: nothing of the test's, so that nobody's settings matter. */
export function startProgram(path: string, args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  const child: ChildProcess = spawn(path, args, {
    cwd: options.cwd ?? '/',
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let look: () => void = () => {};
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends early does not read its input.
  child.stdin?.on('error', () => {});
  child.stdin?.write(options.input ?? '');
  if (!options.open) child.stdin?.end();
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    ended,
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => pattern.test(stdout) && resolve();
        look();
        ended.then(() => reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`)), reject);
      }),
    kill: (signal) => void child.kill(signal),
  };
}

export function runProgram(path: string, args: readonly string[], options: ProgramOptions = {}): Promise<Finished> {
  return startProgram(path, args, options).ended;
}
