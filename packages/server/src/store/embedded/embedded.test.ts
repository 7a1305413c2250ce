import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../store.ts';
import type { StoreNotice } from '../store-port.ts';
import { Engine, startEngine } from './engine.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const open = (dir: string) => openStore({ kind: 'embedded', dir }, quiet);

// Making a database is the slowest thing here, and the machine may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-test-embedded-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A gateway's worth of writing in another process, under the loader that the command uses; says every row it wrote. */
function writer() {
  const program = `
    import { register } from 'tsx/esm/api';
    register();
    const { openStore } = await import(${JSON.stringify(new URL('../store.ts', import.meta.url).href)});
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const store = await openStore({ kind: 'embedded', dir: ${JSON.stringify(dir)} }, quiet);
    for (let n = 0; ; n += 1) {
      await store.transaction((trx) => trx.insertInto('disabled_principals')
        .values({ id: 'p' + n, disabled_at: n, disabled_by: 'writer', reason: 'x'.repeat(500) }).execute());
      console.log(n);
    }
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  let last = -1;
  lines.on('line', (line) => {
    last = Number(line);
  });
  return {
    pid: child.pid,
    async reach(row: number) {
      while (last < row) await once(lines, 'line');
    },
    async kill() {
      const gone = Promise.all([once(child, 'exit'), once(lines, 'close')]);
      child.kill('SIGKILL');
      await gone;
      return last;
    },
  };
}

/** A simple query as the wire has it. */
function query(text: string): Uint8Array {
  const message = Buffer.from(`Q\0\0\0\0${text}\0`, 'latin1');
  message.writeInt32BE(message.length - 1, 1);
  return Uint8Array.from(message);
}

describe('the embedded store', () => {
  it('loses nothing it confirmed when its process is killed, and opens again', async () => {
    for (let round = 0; round < 2; round += 1) {
      const other = writer();
      await other.reach(40);
      await expect(open(dir)).rejects.toMatchObject({
        code: 'store_locked',
        message: expect.stringContaining(`process ${other.pid} `),
      });
      const last = await other.kill();
      const store = await open(dir);
      const rows = await store.db
        .selectFrom('disabled_principals')
        .select('disabled_at')
        .orderBy('disabled_at')
        .execute();
      expect(rows.length).toBeGreaterThanOrEqual(last + 1);
      expect(rows.map((row) => row.disabled_at)).toEqual(rows.map((_row, index) => index));
      await store.db.deleteFrom('disabled_principals').execute();
      await store.close();
    }
  });

  it('is one at a time for a directory, and free again once closed', async () => {
    const store = await open(dir);
    await expect(open(dir)).rejects.toMatchObject({ code: 'store_locked' });
    await store.close();
    await store.close();
    await expect(store.ping()).rejects.toThrow();
    await (await open(dir)).close();
  });

  it('finishes what was begun when it is closed', async () => {
    const store = await open(dir);
    const writes = Array.from({ length: 20 }, (_, index) =>
      store.db
        .insertInto('disabled_principals')
        .values({ id: `c${index}`, disabled_at: index, disabled_by: 'x', reason: '' })
        .execute(),
    );
    const settled = Promise.all(writes);
    await settled;
    await store.close();
    const again = await open(dir);
    const rows = await again.db.selectFrom('disabled_principals').selectAll().execute();
    expect(rows).toHaveLength(20);
    await again.close();
  });

  it('comes back by itself when its thread dies, with its subscriptions', async () => {
    const store = await open(dir);
    const notices: StoreNotice[] = [];
    let wake = () => {};
    const heard = () => new Promise<void>((resolve) => (wake = resolve));
    await store.subscribe('test_revival', (notice) => {
      notices.push(notice);
      wake();
    });
    const posted = vi.spyOn(Worker.prototype, 'postMessage');
    const asked = store.ping();
    const thread = await vi.waitUntil(() => posted.mock.contexts[0] as Worker | undefined);
    posted.mockRestore();
    await Promise.all([asked.catch(() => {}), thread.terminate()]);
    const resynced = heard();
    await store.ping().catch(() => store.ping());
    await resynced;
    const told = heard();
    await store.notify('test_revival', 'back');
    await told;
    expect(notices).toEqual([{ kind: 'resync' }, { kind: 'message', payload: 'back' }]);
    await store.close();
  });

  it('is taken for dead when it hangs, and ends even from within a loop', async () => {
    const lost: string[] = [];
    const engine = await startEngine(join(dir, 'store'), 1_000);
    engine.whenLost((error) => lost.push(error.message));
    await expect(engine.execute(query('do $$ begin loop end loop; end $$'))).rejects.toMatchObject({
      code: 'store_lost',
      message: expect.stringContaining('hangs'),
    });
    await expect(engine.execute(query('select 1'))).rejects.toMatchObject({ code: 'store_lost' });
    expect(lost).toHaveLength(1);
    await engine.close();
    const again = await startEngine(join(dir, 'store'));
    expect((await again.execute(query('select 1'))).length).toBeGreaterThan(0);
    await again.close();
  });

  it('keeps its files to itself', async () => {
    const store = await open(dir);
    await store.close();
    expect(statSync(join(dir, 'store')).mode & 0o777).toBe(0o700);
  });

  it('starts over when making the database was interrupted', async () => {
    const half = mkdtempSync(join(tmpdir(), 'sluice-test-half-'));
    mkdirSync(join(half, 'data.new'));
    writeFileSync(join(half, 'data.new', 'PG_VERSION'), '18');
    const engine = await startEngine(half);
    await engine.close();
    expect(existsSync(join(half, 'data.new'))).toBe(false);
    expect(existsSync(join(half, 'data', 'PG_VERSION'))).toBe(true);
    rmSync(half, { recursive: true, force: true });
  });

  it('says what is wrong with a directory that holds no database', async () => {
    const broken = mkdtempSync(join(tmpdir(), 'sluice-test-broken-'));
    mkdirSync(join(broken, 'store', 'data', 'base'), { recursive: true });
    writeFileSync(join(broken, 'store', 'data', 'PG_VERSION'), '18');
    await expect(open(broken)).rejects.toMatchObject({ code: 'store_lost', message: expect.stringContaining(broken) });
    await expect(Engine.open('/proc/nowhere')).rejects.toMatchObject({ code: 'store_lost' });
    rmSync(broken, { recursive: true, force: true });
  });
});
