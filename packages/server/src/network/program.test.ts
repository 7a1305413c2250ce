import { readFileSync } from 'node:fs';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { describe, expect, it } from 'vitest';
import { startProgram } from './program.ts';

const path = process.env['PATH'] ?? '';
const node = process.execPath;

function run(script: string, secrets: Record<string, Redacted> = {}) {
  return startProgram('tools', [node, '-e', script], secrets, path);
}

describe('a program as a target', () => {
  it('is written to and read from', async () => {
    const link = await run("process.stdin.on('data', (d) => process.stdout.write(String(d).toUpperCase()))");
    const answer = new Promise<string>((resolve) => link.onData((chunk) => resolve(String(chunk))));
    link.write(Buffer.from('hello\n'));
    expect(await answer).toBe('HELLO\n');
    const closed = new Promise<void>((resolve) => link.onClose(() => resolve()));
    link.end();
    await closed;
  });

  it('sees its secrets and nothing of the gateway’s environment', async () => {
    process.env['SLUICE_TEST_SECRET'] = 'of the gateway';
    try {
      const link = await run('process.stdout.write(JSON.stringify(process.env))', { api_token: new Redacted('t0ken') });
      const chunks: Uint8Array[] = [];
      link.onData((chunk) => chunks.push(chunk));
      await new Promise<void>((resolve) => link.onClose(() => resolve()));
      expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ PATH: path, API_TOKEN: 't0ken' });
    } finally {
      delete process.env['SLUICE_TEST_SECRET'];
    }
  });

  it('that cannot be started is a target that cannot be reached, and is not named', async () => {
    const failed = startProgram('tools', ['/nonexistent/program'], {}, path);
    await expect(failed).rejects.toMatchObject({
      code: 'upstream_unreachable',
      publicMessage: expect.not.stringContaining('nonexistent'),
    });
  });

  it('that ignores its closed input and the request to stop is stopped', async () => {
    const link = await run(
      "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.stdout.write('ready')",
    );
    await new Promise<void>((resolve) => link.onData(() => resolve()));
    const closed = new Promise<void>((resolve) => link.onClose(() => resolve()));
    link.destroy();
    await closed;
  });

  it('is stopped with everything that it started', async () => {
    const link = await startProgram('tools', ['sh', '-c', 'sleep 1000 & echo $!; sleep 1000; :'], {}, path);
    const started = await new Promise<number>((resolve) => link.onData((chunk) => resolve(Number(String(chunk)))));
    expect(process.kill(started, 0)).toBe(true);
    const closed = new Promise<void>((resolve) => link.onClose(() => resolve()));
    link.destroy();
    await closed;
    await expect.poll(() => runs(started), { timeout: 10_000 }).toBe(false);
  });

  it('whose first process is gone is stopped with what that left behind', async () => {
    const link = await startProgram('tools', ['sh', '-c', 'sleep 1000 & echo $!'], {}, path);
    const started = await new Promise<number>((resolve) => link.onData((chunk) => resolve(Number(String(chunk)))));
    link.end();
    await expect.poll(() => runs(started), { timeout: 10_000 }).toBe(false);
  });

  it('that ends when it should is not outlived by what it left behind', async () => {
    const link = await startProgram('tools', ['sh', '-c', 'sleep 1000 >/dev/null 2>&1 & echo $!; read x'], {}, path);
    const started = await new Promise<number>((resolve) => link.onData((chunk) => resolve(Number(String(chunk)))));
    const closed = new Promise<void>((resolve) => link.onClose(() => resolve()));
    link.end();
    await closed;
    await expect.poll(() => runs(started), { timeout: 10_000 }).toBe(false);
  });

  it('that dies is a link that closes', async () => {
    const link = await run("process.stdin.once('data', () => process.exit(3))");
    const closed = new Promise<void>((resolve) => link.onClose(() => resolve()));
    link.write(Buffer.from('x'));
    await closed;
    expect(link.write(Buffer.from('late'))).toBeTypeOf('boolean');
  });

  it('pauses and goes on', async () => {
    const link = await run("process.stdin.on('data', (d) => process.stdout.write(d))");
    const seen: string[] = [];
    let got: () => void = () => {};
    link.onData((chunk) => {
      seen.push(String(chunk));
      got();
    });
    link.pause();
    link.write(Buffer.from('one'));
    const resumed = new Promise<void>((resolve) => (got = resolve));
    link.resume();
    await resumed;
    expect(seen.join('')).toBe('one');
    link.destroy();
  });
});

/** A process that ended and was not waited for (by whoever inherited it) runs no more. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.[0] !== 'Z';
  } catch {
    return false;
  }
}
