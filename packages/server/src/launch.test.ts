// Programs of a small checkout of its own, so that what is kept of them can be counted, damaged and taken away; the
// gateway itself at the end.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const own = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const libraries = own('../../../node_modules');

const program = `
import { word } from '@sluice/core/word.ts';
const { later } = await import('./later.ts');
const how: string = new Error().stack?.includes('/.cache/sluice/') ? 'compiled' : 'loaded';
console.log(how, word, later, new URL('.', import.meta.url).pathname.split('/').slice(-4, -1).join('/'));
`;

let checkout: string;
let cache: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'sluice-launch-'));
  cache = join(checkout, 'node_modules/.cache/sluice');
  for (const name of ['core', 'server', 'cli']) mkdirSync(join(checkout, 'packages', name, 'src'), { recursive: true });
  for (const name of ['launch.js', 'compile.js']) cpSync(own(name), join(checkout, 'packages/server/src', name));
  mkdirSync(join(checkout, 'node_modules/@sluice'), { recursive: true });
  for (const name of ['tsx', 'esbuild']) symlinkSync(join(libraries, name), join(checkout, 'node_modules', name));
  symlinkSync('../../packages/core', join(checkout, 'node_modules/@sluice/core'));
  const core = { name: '@sluice/core', type: 'module', exports: { './*': './src/*' } };
  writeFileSync(join(checkout, 'packages/core/package.json'), JSON.stringify(core));
  writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
  source('core', 'word.ts', `export const word: string = 'one';`);
  source('cli', 'later.ts', `export const later: string = 'late';`);
  source('cli', 'main.ts', program);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(checkout, { recursive: true, force: true });
});

function source(name: string, file: string, text: string): void {
  writeFileSync(join(checkout, 'packages', name, 'src', file), text);
}

function args(): string[] {
  const launcher = join(checkout, 'packages/server/src/launch.js');
  const main = join(checkout, 'packages/cli/src/main.ts');
  const url = (path: string): string => JSON.stringify(`file://${path}`);
  return ['--input-type=module', '--eval', `import { launch } from ${url(launcher)}; await launch(${url(main)});`];
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** By the same kind of process that runs a gateway, with nothing of the test's own settings. */
function start(options: { readonly uid?: number } = {}): Promise<Ran> {
  const settings = { env: { PATH: process.env['PATH'] ?? '' }, cwd: tmpdir(), ...options };
  return new Promise((resolve) => {
    execFile(process.execPath, args(), settings, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout: stdout.trim(), stderr }),
    );
  });
}

/** Starts one that stays; resolves once its first part has run. `end` has it load its last part. */
async function staying(): Promise<{ end(): Promise<string> }> {
  const child = spawn(process.execPath, args(), { stdio: ['pipe', 'pipe', 'inherit'] });
  running.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child.stdout, 'data');
  return {
    end: async () => {
      child.stdin.end();
      await once(child, 'close');
      return said;
    },
  };
}

const states = (): string[] => readdirSync(cache).sort();

function only(): string {
  expect(states()).toHaveLength(1);
  return join(cache, states()[0] ?? '');
}

const right = 'compiled one late packages/cli/src';

describe('a program that is launched', () => {
  test('runs compiled, finds its own packages, its late parts and its place, and leaves one state', async () => {
    expect(await start()).toEqual({ code: 0, stdout: right, stderr: '' });
    expect(readdirSync(only()).filter((name) => !name.endsWith('.mjs'))).toEqual([]);
    expect(await start()).toMatchObject({ stdout: right });
    only();
  });

  test('runs as its sources are now, and as they were once they are so again', async () => {
    await start();
    const first = only();
    source('core', 'word.ts', `export const word: string = 'two';`);
    expect((await start()).stdout).toBe(right.replace('one', 'two'));
    expect(states()).toHaveLength(2);
    source('core', 'word.ts', `export const word: string = 'one';`);
    expect((await start()).stdout).toBe(right);
    expect(states()).toHaveLength(2);
    expect(states()).toContain(first.slice(cache.length + 1));
  });

  test('runs once, and fails as it fails', async () => {
    source('cli', 'main.ts', `console.log('begun'); throw new Error('of its own');`);
    const { code, stdout, stderr } = await start();
    expect([code, stdout]).toEqual([1, 'begun']);
    expect(stderr).toContain('of its own');
  });

  test('that is no program says what is wrong with it', async () => {
    source('cli', 'main.ts', 'const = 1;');
    const { code, stderr } = await start();
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/main\.ts:1:/);
  });

  test('is started by several at the same moment, and each runs all of it', async () => {
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => start()));
    expect(all.map(({ stdout, stderr }) => [stdout, stderr])).toEqual(all.map(() => [right, '']));
    only();
  });
});

describe('a checkout that may only be read', () => {
  // Root may write everywhere, so there it is somebody else who starts it.
  const other = process.getuid?.() === 0 ? { uid: 65_534 } : {};

  test('runs by the loader, and nothing is left in it', async () => {
    chmodSync(checkout, 0o755);
    chmodSync(join(checkout, 'node_modules'), 0o555);
    const ran = await start(other);
    expect(ran).toEqual({ code: 0, stdout: right.replace('compiled', 'loaded'), stderr: '' });
    expect(readdirSync(join(checkout, 'node_modules'))).not.toContain('.cache');
    chmodSync(join(checkout, 'node_modules'), 0o755);
  });

  test('whose states are those of somebody else runs by the loader', async () => {
    await start();
    const place = only();
    chmodSync(checkout, 0o755);
    if (other.uid === undefined) chmodSync(place, 0o000);
    else chownSync(cache, other.uid, other.uid);
    expect(await start(other)).toEqual({ code: 0, stdout: right.replace('compiled', 'loaded'), stderr: '' });
    if (other.uid === undefined) chmodSync(place, 0o700);
    expect(await start()).toMatchObject({ stdout: right });
  });
});

describe('what is kept', () => {
  const foreign = `console.log('foreign');`;

  test.each<[string, (place: string) => void]>([
    ['a part that was cut short', (place) => truncateSync(join(place, 'main.mjs'), 20)],
    ['a part that is empty', (place) => truncateSync(join(place, 'main.mjs'))],
    ['a part that is another one', (place) => writeFileSync(join(place, 'main.mjs'), foreign)],
    [
      'a late part that is another one',
      (place) => {
        const late = readdirSync(place).find((name) => name.startsWith('later-')) ?? '';
        writeFileSync(join(place, late), `export const later = 'foreign';`);
      },
    ],
    ['a part that is missing', (place) => rmSync(join(place, 'main.mjs'))],
    [
      'nothing',
      (place) => {
        for (const name of readdirSync(place)) rmSync(join(place, name));
      },
    ],
    ['a part beside it that nobody asks for', (place) => writeFileSync(join(place, 'chunk-X.mjs'), foreign)],
  ])('is not run, but replaced, where it holds %s', async (_, damage) => {
    await start();
    const place = only();
    const before = readFileSync(join(place, 'main.mjs'));
    damage(place);
    expect(await start()).toEqual({ code: 0, stdout: right, stderr: '' });
    expect(only()).toBe(place);
    expect(readFileSync(join(place, 'main.mjs'))).toEqual(before);
  });

  test('is not run where it is a file', async () => {
    await start();
    const place = only();
    rmSync(place, { recursive: true });
    writeFileSync(place, foreign);
    expect((await start()).stdout).toBe(right.replace('compiled', 'loaded'));
  });

  test('grows to some states and no further, the oldest going first, but none that something runs of', async () => {
    source(
      'cli',
      'main.ts',
      `console.log('up'); for await (const _ of process.stdin); console.log((await import('./later.ts')).later);`,
    );
    const stays = await staying();
    const used = only();
    const age = (path: string, days: number): void => {
      const at = new Date(Date.now() - days * 86_400_000);
      utimesSync(path, at, at);
    };
    for (let n = 0; n < 30; n++) {
      mkdirSync(join(cache, `state-${n}`));
      // As of one that was killed: there is no such process.
      writeFileSync(join(cache, `state-${n}`, 'run-by-4194305'), '');
      age(join(cache, `state-${n}`), n + 1);
    }
    age(used, 365);
    source('cli', 'main.ts', program);
    expect((await start()).stdout).toBe(right);
    expect(states().length).toBeLessThan(20);
    expect(states()).toContain('state-0');
    expect(states()).not.toContain('state-29');
    expect(readdirSync(cache)).toContain(used.slice(cache.length + 1));
    expect(await stays.end()).toBe('up\nlate\n');
    // It has ended, so that nothing keeps it any more.
    age(used, 365);
    for (let n = 0; n < 16; n++) mkdirSync(join(cache, `later-${n}`));
    source('core', 'word.ts', `export const word: string = 'two';`);
    await start();
    expect(readdirSync(cache)).not.toContain(used.slice(cache.length + 1));
  });
});

test('the command line itself runs as compiled', async () => {
  const run = promisify(execFile);
  const main = own('../../cli/src/main.ts');
  const { stdout: file } = await run(process.execPath, [own('compile.js'), main]);
  expect(dirname(dirname(file))).toBe(join(libraries, '.cache/sluice'));
  const { stdout } = await run(process.execPath, [file, '--version']);
  expect(stdout).toBe((await run(process.execPath, [own('../../cli/bin/sluice.js'), '--version'])).stdout);
});
