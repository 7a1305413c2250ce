/**
 * A program of its own: compiles another one of this checkout, given by the path of its first file, and says where the
 * result is. It is kept under its digest, so what is there already is the very same. What this takes in memory goes when
 * it ends, which is why `launch.js` does not do it itself.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
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
/** States of the sources that are kept: a gateway that runs may still want a part that it did not load yet. */
const kept = 16;

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
    if (existsSync(place)) touch(place);
    else write(place, outputFiles);
    const file = join(place, `${basename(entry, extname(entry))}.mjs`);
    accessSync(file, constants.R_OK);
    return file;
  } finally {
    await stop();
  }
}

/** All of it appears at once, whoever else is writing the same. */
function write(place, files) {
  mkdirSync(folder, { recursive: true });
  prune();
  const made = mkdtempSync(join(folder, 'new-'));
  try {
    for (const { path, contents } of files) writeFileSync(join(made, basename(path)), contents);
    renameSync(made, place);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
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
  for (const { path } of aged.slice(kept)) rmSync(path, { recursive: true, force: true });
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
