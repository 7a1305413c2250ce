import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@sluice/core/contract/clock.ts';
import { holdDefaults } from '@sluice/policy/annotations.ts';
import { formatPolicyError, type PolicyError } from '@sluice/policy/error.ts';
import { agent, ask, declarations } from '@sluice/policy/fixtures.ts';
import type { EnforcedPolicies } from '@sluice/policy/snapshot.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPolicyFiles, type PolicyFiles } from './policy-files.ts';
import { baseOf } from './read-files.ts';

const permit = '@id("reads") permit (principal, action in Action::"read", resource);';
const forbid = '@id("never") forbid (principal, action, resource in Schema::"shop/public");';

const clock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

let directory: string;
let lines: string[];
let opened: PolicyFiles[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'policies-'));
  mkdirSync(join(directory, 'policies'));
  lines = [];
  opened = [];
});

afterEach(() => {
  for (const source of opened) source.close();
  chmodSync(join(directory, 'policies'), 0o755);
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

async function open(globs: readonly string[] = ['policies/*.cedar'], settle = 20): Promise<PolicyFiles> {
  const note = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`);
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const recheck = 600_000;
  const options = { directory, globs, declarations: [declarations], holdDefaults, clock, log, settle, recheck };
  const source = await openPolicyFiles(options);
  opened.push(source);
  return source;
}

const changed = (source: PolicyFiles): Promise<EnforcedPolicies> =>
  new Promise((resolve) => {
    const stop = source.onChange((snapshot) => {
      stop();
      resolve(snapshot);
    });
  });

const refused = (source: PolicyFiles): Promise<readonly PolicyError[]> =>
  new Promise((resolve) => {
    const stop = source.onProblem((problems) => {
      stop();
      resolve(problems);
    });
  });

const effect = (source: PolicyFiles): string => source.current().decide(ask('sql:select')).effect;

test('files that match are in force from the start, and the status says which', async () => {
  write('policies/b.cedar', forbid);
  write('policies/a.cedar', permit);
  write('policies/notes.txt', 'not a policy');
  const source = await open();
  expect(effect(source)).toBe('deny');
  expect(source.status()).toMatchObject({ epoch: 1, problems: [], files: ['policies/a.cedar', 'policies/b.cedar'] });
  expect(source.status().hash).toBe(source.current().hash);
});

test.each([
  ['no file matches', () => {}],
  ['the files hold no policy', () => write('policies/a.cedar', '// later\n')],
  ['the directory does not exist', () => rmSync(join(directory, 'policies'), { recursive: true })],
])('when %s, everything is denied, loudly', async (_, prepare) => {
  prepare();
  const source = await open();
  expect(source.current().decide(ask('sql:select')).reasons[0]?.text).toContain('No policies are loaded');
  expect(lines).toContain('error there are no policies: everything is denied');
  mkdirSync(join(directory, 'policies'), { recursive: true });
});

test('a mistake at the start denies everything, and its repair takes effect', async () => {
  write('policies/a.cedar', 'permit (principal, action, resource);');
  const source = await open();
  expect(effect(source)).toBe('deny');
  expect(source.status().problems.map(formatPolicyError)).toEqual([
    expect.stringContaining('policies/a.cedar:1:1: the policy has no @id'),
  ]);
  expect(lines).toContain('error no policies could be loaded: everything is denied');
  const next = changed(source);
  write('policies/a.cedar', permit);
  expect((await next).epoch).toBe(1);
  expect(effect(source)).toBe('allow');
  expect(source.status().problems).toEqual([]);
});

test('a saved change takes effect by itself, with a higher epoch and another hash', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  const before = source.current();
  const next = changed(source);
  write('policies/b.cedar', forbid);
  const after = await next;
  expect(after).toBe(source.current());
  expect(after.epoch).toBe(before.epoch + 1);
  expect(after.hash).not.toBe(before.hash);
  expect(effect(source)).toBe('deny');
  expect(before.decide(ask('sql:select')).effect).toBe('allow');
});

test('a change with a mistake leaves the old set in force and tells file and line', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  const before = source.current();
  const problem = refused(source);
  write('policies/b.cedar', `${forbid}\n@id("x") permitt (principal, action, resource);`);
  expect((await problem).map(formatPolicyError)).toEqual([expect.stringMatching(/^policies\/b\.cedar:2:10: /)]);
  expect(source.current()).toBe(before);
  expect(effect(source)).toBe('allow');
  expect(source.status()).toMatchObject({ epoch: 1, problems: [{ path: 'policies/b.cedar', line: 2 }] });
  expect(lines).toContain('error the policies loaded before stay in force');
});

test('a file replaced by renaming, as editors do, is seen', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  for (const text of [`${permit}\n${forbid}`, permit, `${permit} ${forbid}`]) {
    const next = changed(source);
    write('policies/.a.cedar.swp', text);
    renameSync(join(directory, 'policies/.a.cedar.swp'), join(directory, 'policies/a.cedar'));
    await next;
    expect(effect(source)).toBe(text === permit ? 'allow' : 'deny');
  }
});

test('a mounted configuration whose links are swapped is seen', async () => {
  rmSync(join(directory, 'policies'), { recursive: true });
  for (const [name, text] of [
    ['one', permit],
    ['two', `${permit} ${forbid}`],
  ] as const) {
    mkdirSync(join(directory, 'policies', `..${name}`), { recursive: true });
    write(`policies/..${name}/a.cedar`, text);
  }
  const link = (to: string): void => {
    symlinkSync(to, join(directory, 'policies/..next'));
    renameSync(join(directory, 'policies/..next'), join(directory, 'policies/..data'));
  };
  link('..one');
  symlinkSync('..data/a.cedar', join(directory, 'policies/a.cedar'));
  const source = await open();
  expect(effect(source)).toBe('allow');
  const next = changed(source);
  link('..two');
  await next;
  expect(effect(source)).toBe('deny');
});

test('a link to a directory is no policy file', async () => {
  write('policies/a.cedar', permit);
  mkdirSync(join(directory, 'elsewhere'));
  symlinkSync('../elsewhere', join(directory, 'policies/dir.cedar'));
  expect(effect(await open())).toBe('allow');
});

test('a file behind a link is watched where it is', async () => {
  mkdirSync(join(directory, 'elsewhere'));
  write('elsewhere/a.cedar', permit);
  symlinkSync('../elsewhere/a.cedar', join(directory, 'policies/a.cedar'));
  const source = await open();
  const next = changed(source);
  write('elsewhere/a.cedar', `${permit} ${forbid}`);
  await next;
  expect(effect(source)).toBe('deny');
});

test('new directories below a deep pattern are found', async () => {
  write('policies/a.cedar', permit);
  const source = await open(['policies/**/*.cedar']);
  const next = changed(source);
  mkdirSync(join(directory, 'policies/team/deep'), { recursive: true });
  write('policies/team/deep/b.cedar', forbid);
  await next;
  expect(effect(source)).toBe('deny');
  const back = changed(source);
  unlinkSync(join(directory, 'policies/team/deep/b.cedar'));
  await back;
  expect(effect(source)).toBe('allow');
});

test('several changes at once come into force as one', async () => {
  write('policies/a.cedar', permit);
  const source = await open(['policies/*.cedar'], 200);
  const next = changed(source);
  unlinkSync(join(directory, 'policies/a.cedar'));
  write('policies/b.cedar', forbid);
  write('policies/c.cedar', permit);
  expect((await next).epoch).toBe(2);
  expect(source.status().files).toEqual(['policies/b.cedar', 'policies/c.cedar']);
});

test('the last file taken away leaves nothing permitted', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  const next = changed(source);
  unlinkSync(join(directory, 'policies/a.cedar'));
  await next;
  expect(effect(source)).toBe('deny');
});

test('a directory that disappears takes no policy with it', async () => {
  mkdirSync(join(directory, 'never'));
  write('never/n.cedar', forbid);
  write('policies/a.cedar', permit);
  const source = await open(['policies/*.cedar', 'never/*.cedar']);
  const problem = refused(source);
  renameSync(join(directory, 'never'), join(directory, 'away'));
  expect((await problem)[0]?.message).toContain('the directory is gone');
  expect(effect(source)).toBe('deny');
  expect(source.current().decide(ask('sql:select')).policies).toEqual(['never']);
});

test.each<[string, (path: string) => void, string]>([
  ['is not UTF-8', (path) => writeFileSync(path, Buffer.from([0x40, 0xff])), 'is not UTF-8'],
  ['is too large', (path) => writeFileSync(path, ' '.repeat(1024 * 1024 + 1)), 'is larger than'],
  ['points nowhere', (path) => symlinkSync('nowhere.txt', path), "can't be followed: ENOENT"],
])('a file that %s stops the load', async (_, make, message) => {
  write('policies/a.cedar', permit);
  make(join(directory, 'policies/z.cedar'));
  const source = await open();
  expect(effect(source)).toBe('deny');
  expect(source.status().problems).toMatchObject([
    { path: 'policies/z.cedar', message: expect.stringContaining(message) },
  ]);
});

// Root may read everything.
test.skipIf(process.getuid?.() === 0)('a directory that can not be read stops the load', async () => {
  write('policies/a.cedar', permit);
  mkdirSync(join(directory, 'policies/locked'), { mode: 0 });
  const source = await open(['policies/**/*.cedar']);
  expect(source.status().problems).toMatchObject([
    { path: 'policies/locked', message: expect.stringContaining('EACCES') },
  ]);
});

test('a subscriber that fails keeps nobody else from hearing of a change', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  source.onChange(() => {
    throw new Error('no');
  });
  const next = changed(source);
  write('policies/a.cedar', `${permit} ${forbid}`);
  await next;
  expect(lines).toContain('error a change of policies could not be passed on');
});

test('reading again without a change changes nothing', async () => {
  write('policies/a.cedar', permit);
  const source = await open();
  const before = source.current();
  await Promise.all([source.reload(), source.reload()]);
  expect(source.current()).toBe(before);
  source.close();
  await source.reload();
  expect(source.current().decide(ask('sql:select', { principal: agent })).effect).toBe('allow');
});

test.each([
  ['policies/*.cedar', 'policies', false],
  ['a/b.cedar', 'a', false],
  ['b.cedar', '', false],
  ['**/*.cedar', '', true],
  ['/etc/{a,b}/*.cedar', '/etc', true],
  ['/*.cedar', '/', false],
  ['../x/*.cedar', '../x', false],
])('the search for %s begins at %j', (pattern, base, deep) => {
  expect(baseOf(pattern)).toEqual({ base, deep });
});
