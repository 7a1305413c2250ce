import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sampleRecording, testKey, testSession } from '../../../test/harness/recording.ts';
import { type Result, runCommand, startCommand } from './testing/command.ts';

// Processes of their own take their time on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-local-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function sluice(...args: string[]): Promise<Result> {
  return runCommand(args, { cwd: dir });
}

const goodPolicies = `@id("agents-read")
permit (principal in Group::"react-agents", action == Action::"read", resource in Target::"shop");
@id("agents-connect")
permit (principal in Group::"react-agents", action == Action::"connect", resource in Target::"shop");
`;

async function configuration(name: string, change: (yaml: string) => string = (yaml) => yaml): Promise<string> {
  const at = join(dir, name);
  await mkdir(join(at, 'policies'), { recursive: true });
  await writeFile(join(at, 'policies', 'shop.cedar'), goodPolicies);
  const yaml = `listen:
  api: 127.0.0.1:0
  postgres: 127.0.0.1:0
data_dir: data
identity:
  issuers:
    - issuer: http://127.0.0.1:9
      audience: sluice
targets:
  - name: shop
    connector: postgres
    address: 127.0.0.1:9
    database: shop
    tls: disable
    credential: {username: gateway, password: "env:PATH"}
policies: ["policies/*.cedar"]
`;
  await writeFile(join(at, 'sluice.yaml'), change(yaml));
  return join(at, 'sluice.yaml');
}

describe('check', () => {
  it('finds nothing wrong where nothing is', async () => {
    const file = await configuration('good');
    const text = await sluice('check', '-c', file);
    expect(text, text.stderr).toMatchObject({ code: 0 });
    expect(text.stdout).toMatch(/policies: valid, 1 file, set [0-9a-f]{64}\n.* is right\.\n$/);
    const json = JSON.parse((await sluice('check', '-c', file, '--json')).stdout);
    expect(json).toMatchObject({ ok: true, policies: { ok: true, files: ['policies/shop.cedar'] } });
  });

  it('names file, line and nearest key of every mistake', async () => {
    const file = await configuration('typo', (yaml) => yaml.replace('  api:', '  ap:').replace('address:', 'adress:'));
    const text = await sluice('check', '-c', file);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/sluice\.yaml:2:3: error: .*did you mean api\?/);
    expect(text.stdout).toMatch(/sluice\.yaml:12:5: error: .*did you mean address\?/);
    const json = JSON.parse((await sluice('check', '-c', file, '--json')).stdout);
    expect(json).toMatchObject({ ok: false, problems: expect.arrayContaining([expect.objectContaining({ line: 2 })]) });
  });

  it('looks at the policies, too', async () => {
    const file = await configuration('policies');
    await writeFile(
      join(dir, 'policies', 'policies', 'more.cedar'),
      '\n@id("x") permit (principal, action == Action::"reed", resource);',
    );
    const text = await sluice('check', '-c', file);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/policies\/more\.cedar:2:\d+: error: /);
    expect((await sluice('policy', 'check', '-c', file)).code).toBe(1);
  });

  it('says that a file is not there', async () => {
    const text = await sluice('check', '-c', join(dir, 'none.yaml'));
    expect(text.code).toBe(1);
    expect(text.stdout).toContain('does not exist');
    expect((await sluice('check')).code).toBe(2);
  });
});

describe('policy test', () => {
  const tests = (expected: string) => `- name: agents read
  principal: {kind: agent, id: "x#bot", groups: [react-agents]}
  target: shop
  action: connect
  expect: ${expected}
`;

  it('passes and fails with the tests', async () => {
    const file = await configuration('tested');
    const yaml = join(dir, 'tested', 'tests.yaml');
    await writeFile(yaml, tests('allow'));
    const passed = await sluice('policy', 'test', '-c', file, yaml);
    expect(passed, passed.stdout + passed.stderr).toMatchObject({ code: 0 });
    expect(passed.stdout).toMatch(/^pass {2}agents read\n1 passed, 0 failed\n$/);
    await writeFile(yaml, tests('deny'));
    const failed = await sluice('policy', 'test', '-c', file, yaml);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/FAIL .*tests\.yaml:1: agents read: expected deny, got allow by agents-connect/);
    expect(JSON.parse((await sluice('policy', 'test', '-c', file, yaml, '--json')).stdout)).toMatchObject({
      failed: 1,
    });
  });

  it('says that there are no tests to read', async () => {
    const file = await configuration('untested');
    const missing = await sluice('policy', 'test', '-c', file, join(dir, 'no-tests.yaml'));
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stderr).toContain('no-tests.yaml cannot be read');
  });
});

describe('start', () => {
  it('runs until it is told to stop, and stops in good order', async () => {
    const file = await configuration('started');
    const running = startCommand(['start', '-c', file, '--json'], { cwd: dir });
    const { api, data_dir } = JSON.parse(await running.firstLine);
    expect((await fetch(`${api}/api/v1/health`)).status).toBe(200);

    const second = await sluice('start', '-c', file);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(data_dir);

    running.signal('SIGTERM');
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    await expect(fetch(`${api}/api/v1/health`)).rejects.toThrow();
    // What it left behind verifies: its own journal.
    const verified = await sluice('audit', 'verify', data_dir);
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
  });

  it('refuses a configuration that is not right, with its mistakes', async () => {
    const file = await configuration('refused', (yaml) => yaml.replace('connector: postgres', 'connector: postgras'));
    const result = await sluice('start', '-c', file, '--json');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('sluice.yaml:');
    expect(JSON.parse(result.stderr).error.code).toBe('invalid_config');
  });
});

describe('audit verify', () => {
  const key = testKey();
  const session = testSession('ses_0123456789abcdef');
  const recording = sampleRecording(key, session);
  let keys: string;

  beforeAll(async () => {
    keys = join(dir, 'public.json');
    await writeFile(keys, JSON.stringify({ keys: [key.publicKey] }));
    await writeFile(join(dir, `${session.id}.sluice`), recording);
  });

  it('verifies a file offline', async () => {
    const text = await sluice('audit', 'verify', `${session.id}.sluice`, '--keys', keys);
    expect(text, text.stderr).toMatchObject({ code: 0 });
    expect(text.stdout).toContain('VERIFIED 1 recording');
    const json = JSON.parse((await sluice('audit', 'verify', `${session.id}.sluice`, '--keys', keys, '--json')).stdout);
    expect(json).toMatchObject({ ok: true, files: [{ session: session.id, standing: 'sealed' }] });
  });

  it('says where a flipped byte is', async () => {
    const flipped = recording.slice();
    const at = Math.floor(flipped.length / 2);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await writeFile(join(dir, 'flipped.sluice'), flipped);
    const text = await sluice('audit', 'verify', 'flipped.sluice', '--keys', keys);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/NOT VERIFIED/);
    expect(text.stdout).toMatch(/event \d+ at byte \d+/);
  });

  it('says what is missing', async () => {
    expect((await sluice('audit', 'verify', 'nothing.sluice', '--keys', keys)).stderr).toContain('no such file');
    const elsewhere = join(dir, 'elsewhere');
    await mkdir(elsewhere);
    await copyFile(join(dir, `${session.id}.sluice`), join(elsewhere, `${session.id}.sluice`));
    const without = await sluice('audit', 'verify', join(elsewhere, `${session.id}.sluice`));
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('public keys');
  });

  it('replays and exports the file without a gateway', async () => {
    const replayed = await sluice('sessions', 'replay', `./${session.id}.sluice`);
    expect(replayed.stdout).toContain('SELECT id, email FROM customers');
    const out = join(dir, 'local.jsonl');
    expect((await sluice('sessions', 'export', `${session.id}.sluice`, '-o', out)).code).toBe(0);
    expect((await readFile(out, 'utf8')).split('\n')[0]).toContain(session.id);
    expect((await sluice('sessions', 'replay', './none.sluice')).code).toBe(1);
    const raw = await sluice('sessions', 'replay', `./${session.id}.sluice`, '--raw');
    expect(raw).toMatchObject({ code: 2, stdout: '' });
    expect(raw.stderr).toContain('--raw draws on a terminal, and standard output is none.');
    const cast = await sluice('sessions', 'export', `${session.id}.sluice`, '--format', 'asciicast');
    expect(cast).toMatchObject({ code: 1, stdout: '' });
    expect(cast.stderr).toContain('nothing to play');
    expect((await sluice('sessions', 'export', `${session.id}.sluice`, '--unit', '1')).code).toBe(2);
  });
});
