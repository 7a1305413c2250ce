/**
 * The real command, as a child process, for tests: what a person at a shell would see. It is given nothing of the test's
 * own environment but the path.
 */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

function environment(options: CommandOptions): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', ...options.env };
}

export function runCommand(args: readonly string[], options: CommandOptions): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { env: environment(options), cwd: options.cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

export interface Running {
  /** Its first line on standard output; rejects when it ends without one. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<Result>;
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

/** A command that stays. */
export function startCommand(args: readonly string[], options: CommandOptions): Running {
  const child = spawn(process.execPath, [bin, ...args], {
    env: environment(options),
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Result>((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const end = stdout.indexOf('\n');
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    void ended.then((result) => reject(new Error(`it ended with ${result.code}: ${result.stderr}`)));
  });
  firstLine.catch(() => undefined);
  return { firstLine, ended, signal: (name) => void child.kill(name) };
}
