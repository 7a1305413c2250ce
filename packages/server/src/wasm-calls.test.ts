// The module under test against the engine itself: a call into WebAssembly that gives a reference, inlined, and thrown
// back to the interpreter by what the call does.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * Defines `ends`, which ends the process by SIGTRAP on an engine that inlines such calls. The module imports `m.f` and
 * exports `g`, which calls `f` and gives a null reference (WebAssembly core specification, section 5.5).
 */
const program = `
const bytes = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic and version
  1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x6f, // types: nothing to nothing, nothing to externref
  2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0, // import "m" "f"
  3, 2, 1, 1, // one function of the second type
  7, 5, 1, 1, 0x67, 0, 1, // export "g"
  10, 8, 1, 6, 0, 0x10, 0, 0xd0, 0x6f, 0x0b, // call 0, ref.null extern
]);
globalThis.ends = () => {
  let during = () => {};
  const { g } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { f: () => during() } }).exports;
  const kept = { x: 1 };
  const calls = () => {
    g();
    return kept.x;
  };
  for (let i = 0; i < 300_000; i++) calls();
  during = () => {
    kept.x = 'of another kind';
    delete kept.x;
  };
  calls();
};
`;

let folder: string;
let preload: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-wasm-'));
  preload = join(folder, 'preload.cjs');
  writeFileSync(preload, `${program}\nprocess.on('exit', () => globalThis.ends());\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(...args: string[]): NodeJS.Signals | null {
  return spawnSync(process.execPath, ['--require', preload, ...args], { stdio: 'ignore', timeout: 60_000 }).signal;
}

describe('a call into WebAssembly that gives a reference', () => {
  const version = Number(process.versions.node.split('.')[0]);

  test.runIf(version === 20)('ends a process of Node 20 that does nothing about it', () => {
    expect(run('--eval', '0')).toBe('SIGTRAP');
  });

  test.each([
    ['the command line', '../../cli/bin/sluice.js', '--version'],
    ['a worker', './worker.js'],
  ])('ends no process of %s', (_name, file, ...args) => {
    expect(run(fileURLToPath(new URL(file, import.meta.url)), ...args)).toBeNull();
  });
});
