/**
 * Runs a program of this checkout as compiled in one go, anew at each start, so that what runs is what is read. The
 * loader that otherwise compiles file by file lives on in a thread of its own, and gives each function a property for its
 * name: together they hold some 70 MiB of an idle gateway, and a third of what a session holds. Plain JavaScript, as it
 * runs before anything can load TypeScript.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** Milliseconds. */
const loading = 5_000;
const compiler = fileURLToPath(new URL('compile.js', import.meta.url));

/**
 * Resolves as the program does: when its module has run. `entry` is the URL of a TypeScript file. Where nothing can be
 * compiled or written (a checkout that this user may only read), the loader is used after all.
 */
export async function launch(entry) {
  startSmall();
  let file;
  try {
    const args = [compiler, fileURLToPath(entry)];
    file = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    const { register } = await import('tsx/esm/api');
    register();
    await import(entry);
    return;
  }
  sayRunning(dirname(file));
  await import(pathToFileURL(file).href);
}

/** So that the parts that are not loaded yet stay where they are (`compile.js`). A name that outlives a crash is harmless. */
function sayRunning(place) {
  const name = join(place, `run-by-${process.pid}`);
  try {
    writeFileSync(name, '');
  } catch {
    // Somebody else's: they are kept as the newest ones are.
    return;
  }
  process.once('exit', () => {
    try {
      rmSync(name, { force: true });
    } catch {
      // The checkout may only be read by now.
    }
  });
}

/**
 * What loading makes stays, so a large nursery for it would only be memory that an idle gateway holds; once there is work,
 * the engine may let it grow as it always does. And compiling the grammar and the policy engine with several threads at
 * once makes them fast a little sooner, but leaves the allocator with an area of its own for each thread.
 */
function startSmall() {
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  setFlagsFromString('--semi-space-growth-factor=1');
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=2'), loading).unref();
}
