/**
 * A program of its own: compiles another one of this checkout, given by the path of its first file, and says where the
 * result is. It is kept under its digest, and what is there already is compared: a file that was cut short by a crash, or
 * that somebody else put there, is replaced. What this takes in memory goes when it ends, which is why `launch.js` does
 * not do it itself.
 */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packages = fileURLToPath(new URL('../../', import.meta.url));
/** Beside the libraries, which are looked for from where a file is; whoever may write there may change those as well. */
const folder = fileURLToPath(new URL('../../../node_modules/.cache/sluice/', import.meta.url));
/** States of the sources that are kept, beside those that something runs of: it may still want a part of them. */
const kept = 16;
/** As `launch.js` names what it leaves beside the parts that it runs. */
const runner = /^run-by-(\d+)$/;

async function compiled(entry) {
  // The loader's own compiler, so that both make the same of the sources.
  const { build, stop } = createRequire(createRequire(import.meta.url).resolve('tsx'))('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      absWorkingDir: packages,
      outdir: folder,
      bundle: true,
      // What is loaded late in the sources is so here.
      splitting: true,
      write: false,
      packages: 'external',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      platform: 'node',
      target: `node${process.versions.node}`,
      tsconfigRaw: { compilerOptions: { target: 'esnext' } },
      logLevel: 'silent',
      legalComments: 'none',
      plugins: [ownSources],
    });
    const hash = createHash('sha256');
    for (const { path, contents } of outputFiles) hash.update(`${path}\0${contents.length}\0`).update(contents);
    const place = join(folder, hash.digest('hex').slice(0, 32));
    if (holds(place, outputFiles)) touch(place);
    else write(place, outputFiles);
    return join(place, `${basename(entry, extname(entry))}.mjs`);
  } finally {
    await stop();
  }
}

function holds(place, files) {
  try {
    return files.every(({ path, contents }) => readFileSync(join(place, basename(path))).equals(contents));
  } catch {
    return false;
  }
}

/** All of it appears at once, whoever else is writing the same. What is there already is replaced file by file, each whole. */
function write(place, files) {
  mkdirSync(folder, { recursive: true });
  prune();
  const made = mkdtempSync(join(folder, 'new-'));
  try {
    for (const { path, contents } of files) writeFileSync(join(made, basename(path)), contents);
    try {
      renameSync(made, place);
    } catch {
      for (const { path } of files) renameSync(join(made, basename(path)), join(place, basename(path)));
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function touch(place) {
  try {
    utimesSync(place, new Date(), new Date());
  } catch {
    // Somebody else's: it is as good to run.
  }
}

function prune() {
  const aged = readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of aged.slice(kept)) {
    try {
      if (!readdirSync(path).some(runs)) rmSync(path, { recursive: true, force: true });
    } catch {
      // Somebody else's, or gone already.
    }
  }
}

function runs(name) {
  const [, pid] = runner.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const ownSources = {
  name: 'own-sources',
  setup(builder) {
    builder.onResolve({ filter: /^@sluice\// }, ({ path }) => {
      const [, name, file] = /^@sluice\/([^/]+)\/(.+)$/.exec(path) ?? [];
      // The demo is no part of a gateway; what is not compiled is found by its name, by whoever asks for it.
      if (name === undefined || name === 'demo') return { path, external: true };
      return { path: join(packages, name, 'src', file) };
    });
    // A file is found by where its source is.
    builder.onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const own = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll('import.meta.url', own), loader: extname(path).slice(1) };
    });
  },
};

process.stdout.write(await compiled(process.argv[2] ?? ''));
