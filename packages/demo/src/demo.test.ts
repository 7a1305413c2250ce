import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareStore } from '../../../test/harness/prepared-store.ts';
import type { DemoInfo } from './demo.ts';
import type { SceneResult } from './tour/scene.ts';

/** Each of these starts whole gateways; on a busy machine that takes its time. */
const patience = 180_000;

const program = fileURLToPath(new URL('../../cli/bin/sluice.js', import.meta.url));

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  if (process.getuid?.() === 0) await chmod(base, 0o711);
});
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly err: () => string;
  readonly firstLine: Promise<string>;
  readonly ended: Promise<number | null>;
}

function sluice(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: base,
    // The example takes its password from here.
    env: { ...process.env, ORDERS_DB_PASSWORD: 'unused' },
  });
  const lines: string[] = [];
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const firstLine = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      resolve(line);
    });
    void ended.then((code) => reject(new Error(`ended with ${code} before it said anything: ${err}`)));
  });
  firstLine.catch(() => undefined);
  return { child, lines, err: () => err, firstLine, ended };
}

function demo(dir: string, ...more: readonly string[]): Run {
  const anyPorts = ['postgres', 'ssh', 'http', 'mcp', 'api'].flatMap((name) => [`--${name}-port`, '0']);
  return sluice('demo', '--json', '--data-dir', dir, ...anyPorts, ...more);
}

async function as(info: DemoInfo, role: keyof DemoInfo['tokens'], sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({
    ...info.postgres,
    database: info.target,
    user: role,
    password: info.tokens[role],
    ssl: { ca: await readFile(join(info.data_dir, 'tls', 'ca.crt'), 'utf8'), servername: 'localhost' },
  });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

describe('sluice demo', () => {
  it(
    'serves its cast by its policies, says one line, and stops everything on Ctrl-C',
    async () => {
      const dir = join(base, 'one');
      const run = demo(dir);
      const info = JSON.parse(await run.firstLine) as DemoInfo;
      expect(Object.keys(info)).toEqual(['target', 'postgres', 'ssh', 'http', 'mcp', 'api', 'data_dir', 'tokens']);
      expect(info.data_dir).toBe(dir);

      const query = 'SELECT email, national_id FROM customers WHERE id = 1';
      const [agentSees] = (await as(info, 'agent', query)).rows;
      const [engineerSees] = (await as(info, 'engineer', query)).rows;
      expect(engineerSees.email).toMatch(/^[^#]+@.*example\.(com|net|org)$/);
      expect(agentSees.email).not.toBe(engineerSees.email);
      expect(agentSees.national_id).not.toMatch(/^9\d\d-/);
      expect(engineerSees.national_id).toBe(agentSees.national_id);
      await expect(as(info, 'engineer', 'DELETE FROM order_items')).rejects.toMatchObject({ code: '42501' });
      await expect(as(info, 'dba', 'CREATE TABLE t ()')).rejects.toMatchObject({ code: '42501' });
      expect((await as(info, 'engineer', 'UPDATE products SET stock = 1 WHERE id = 1')).rowCount).toBe(1);

      const policies = join(dir, 'policies', 'tests.yaml');
      const tested = sluice('policy', 'test', '-c', join(dir, 'sluice.yaml'), policies);
      expect({ code: await tested.ended, out: tested.lines }).toMatchObject({ code: 0 });

      const second = demo(dir);
      expect(await second.ended).toBe(1);
      expect(second.err()).toContain('already');
      expect(second.err()).toContain(dir);
      expect(second.err()).toContain(String(run.child.pid));
      expect((await as(info, 'dba', 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);

      run.child.kill('SIGINT');
      expect(await run.ended).toBe(0);
      expect(run.lines).toHaveLength(1);
      expect(await refused(info.postgres.port)).toBe(true);
      expect(await refused(Number(new URL(info.api).port))).toBe(true);
    },
    patience,
  );

  it(
    'starts again after kill -9, with its data',
    async () => {
      const dir = join(base, 'killed');
      await prepareStore(dir);
      const first = demo(dir);
      const before = JSON.parse(await first.firstLine) as DemoInfo;
      await as(before, 'engineer', 'UPDATE products SET stock = 4321 WHERE id = 7');
      first.child.kill('SIGKILL');
      await first.ended;
      const second = demo(dir);
      const after = JSON.parse(await second.firstLine) as DemoInfo;
      expect((await as(after, 'dba', 'SELECT stock FROM products WHERE id = 7')).rows).toEqual([{ stock: 4321 }]);
      second.child.kill('SIGTERM');
      expect(await second.ended).toBe(0);
    },
    patience,
  );

  it(
    'names the option that helps when a port is taken',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      for (const flag of ['--postgres-port', '--ssh-port', '--http-port', '--mcp-port', '--api-port']) {
        const run = demo(join(base, 'busy'), flag, String(port));
        expect(await run.ended).toBe(1);
        expect(run.err()).toContain(`Port ${port}`);
        expect(run.err()).toContain(flag);
        expect(run.lines).toEqual([]);
      }
      server.close();
    },
    patience,
  );
});

describe("the example for a database of one's own", () => {
  const file = fileURLToPath(new URL('../../../examples/sluice.yaml', import.meta.url));

  it(
    'is right, with policies that pass their tests',
    async () => {
      for (const command of [
        ['check', '-c', file],
        [
          'policy',
          'test',
          '-c',
          file,
          fileURLToPath(new URL('../../../examples/policies/tests.yaml', import.meta.url)),
        ],
      ]) {
        const run = sluice(...command);
        expect({ code: await run.ended, out: run.lines, err: run.err() }).toMatchObject({ code: 0 });
      }
    },
    patience,
  );
});

describe('sluice tour', () => {
  it(
    'does what it says at every step',
    async () => {
      const run = sluice('tour', '--json');
      const code = await run.ended;
      const results = run.lines.map((line) => JSON.parse(line) as SceneResult);
      const failed = results.filter(({ ok }) => !ok);
      expect({ code, failed, err: code === 0 ? '' : run.err() }).toEqual({ code: 0, failed: [], err: '' });
      expect(results.map(({ name }) => name)).toEqual([
        'monitoring',
        'customers',
        'drop-table',
        'held-update',
        'other-value',
        'replay-and-verify',
        'tamper',
        'build-host',
        'crm',
        'runbooks',
        'everything-over-mcp',
      ]);
    },
    patience,
  );
});
