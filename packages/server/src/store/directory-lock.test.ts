import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.ts';
import { identityOf } from './process-identity.ts';
import type { StoreError } from './store-error.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-test-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Another process that takes the lock and says how that went; it holds on until it is killed. */
async function contender(path: string) {
  const program = `
    import { register } from 'tsx/esm/api';
    register();
    const { lockDirectory } = await import(${JSON.stringify(new URL('./directory-lock.ts', import.meta.url).href)});
    lockDirectory(${JSON.stringify(path)}).then(() => console.log('held'), (error) => console.log(error.message));
    setInterval(() => {}, 60_000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    said,
    pid: child.pid,
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const locks = () => readdirSync(dir).filter((name) => name.startsWith('lock-'));
const refused = (path = dir) =>
  lockDirectory(path).then(
    () => undefined,
    (error: StoreError) => error,
  );

/** As a process of another container or machine would have left it. */
function foreignClaim(age: number): string {
  const file = join(dir, `lock-${'0'.repeat(18)}`);
  writeFileSync(file, JSON.stringify({ ...identityOf(process.pid), realm: 'another boot', host: 'elsewhere' }));
  const then = new Date(Date.now() - age);
  utimesSync(file, then, then);
  return file;
}

describe('a lock on a directory', () => {
  it('is taken, makes the directory, and is given back', async () => {
    const inner = join(dir, 'a', 'b');
    const release = await lockDirectory(inner);
    expect((await refused(inner))?.code).toBe('store_locked');
    release();
    release();
    const again = await lockDirectory(inner);
    again();
    expect(readdirSync(inner)).toEqual([]);
  });

  it('refuses a second process, naming the first and the directory', async () => {
    const release = await lockDirectory(dir);
    const other = await contender(dir);
    await other.kill();
    expect(other.said).toContain(dir);
    expect(other.said).toContain(`process ${process.pid} `);
    release();
    expect(locks()).toEqual([]);
  });

  it('ends with its process, also after kill -9', async () => {
    const other = await contender(dir);
    expect(other.said).toBe('held');
    expect((await refused())?.message).toContain(`process ${other.pid} `);
    await other.kill();
    const release = await lockDirectory(dir);
    expect(locks()).toHaveLength(1);
    release();
  });

  it('is not kept by a process that got the number of a dead one', async () => {
    writeFileSync(join(dir, `lock-${'1'.repeat(18)}`), JSON.stringify({ ...identityOf(process.pid), started: '1' }));
    const release = await lockDirectory(dir);
    expect(locks()).toHaveLength(1);
    release();
  });

  it('goes to one of many that start at the same moment', async () => {
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => refused()));
    expect(outcomes.filter((error) => error === undefined)).toHaveLength(1);
    expect(locks()).toHaveLength(1);
  });

  it('goes to one of several processes that start at the same moment', async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => contender(dir)));
    try {
      expect(others.filter((other) => other.said === 'held')).toHaveLength(1);
    } finally {
      await Promise.all(others.map((other) => other.kill()));
    }
  });

  it('of a machine we cannot see is gone when it has been silent', async () => {
    foreignClaim(60_000);
    const release = await lockDirectory(dir);
    expect(locks()).toHaveLength(1);
    release();
  });

  it('of a machine we cannot see holds while it shows signs of life', async () => {
    const file = foreignClaim(5_000);
    const beat = setInterval(() => writeFileSync(file, readFileSync(file)), 300);
    const error = await refused();
    clearInterval(beat);
    expect(error?.message).toContain('on elsewhere');
  });

  it('in a file nobody can read holds like one of a machine we cannot see', async () => {
    const file = foreignClaim(0);
    writeFileSync(file, '{"pid":');
    const beat = setInterval(() => writeFileSync(file, '{"pid":'), 300);
    const error = await refused();
    clearInterval(beat);
    expect(error?.message).toContain('an unknown process');
  });

  it('tells its holder when it is taken away', async () => {
    const lost = new Promise<StoreError>((resolve) => {
      lockDirectory(dir, { onLost: resolve }).then(() => {
        for (const name of locks()) rmSync(join(dir, name));
      });
    });
    expect((await lost).message).toContain(dir);
  });

  it('leaves other files alone', async () => {
    writeFileSync(join(dir, 'lock-me-not.txt'), 'x');
    const release = await lockDirectory(dir);
    release();
    expect(readdirSync(dir)).toEqual(['lock-me-not.txt']);
  });
});
