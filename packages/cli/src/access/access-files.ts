import { lstat, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError } from '../cli-error.ts';
import { writeWhole } from '../write-file.ts';
import type { KeyPair } from './openssh-key.ts';

/** Absolute paths. */
export interface AccessFiles {
  readonly key: string;
  readonly certificate: string;
  readonly known_hosts: string;
}

export interface AccessFilesContent {
  readonly pair: KeyPair;
  readonly certificate: string;
  /** Lines of a known_hosts file. */
  readonly knownHosts: readonly string[];
}

/** Ends the public key, by which files of an earlier time are known as ours. */
export function keyComment(target: string): string {
  return `sluice-access-${target}`;
}

/** The folder for a target's files: the one that was asked for, or one below the home folder. Absolute. */
export function accessFolder(target: string, out: string | undefined): string {
  if (out === undefined && !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(target)) {
    throw new CliError('bad_file', `The target's name can't be the name of a folder.`, {
      hint: 'Give the folder with --out.',
    });
  }
  const folder = resolve(out ?? join(homedir(), '.sluice', 'access', target));
  // OpenSSH gives these a meaning in the names of files, and not everywhere the same.
  if (/[\p{Cc}"'\\$%]/u.test(folder)) {
    throw new CliError('bad_file', 'The folder has a quote, a control character or one of \\ $ % in its name.', {
      hint: 'Give another with --out.',
    });
  }
  return folder;
}

/**
 * Makes the folder where it is not there, and sees that nothing in it would be overwritten that an earlier call for this
 * target did not write. Rejects with a CliError.
 */
export async function prepareFolder(folder: string, target: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(folder, cause instanceof Error ? cause.message : String(cause), cause);
  });
  const found = await lstat(folder);
  if (!found.isDirectory()) throw unusable(folder, 'it is no folder');
  const own = process.getuid?.();
  if (own !== undefined && found.uid !== own) throw unusable(folder, 'it belongs to somebody else');
  if ((found.mode & 0o022) !== 0) throw unusable(folder, 'others may write into it');
  const names = namesIn(folder);
  const there = await Promise.all(Object.values(names).map(exists));
  if (!there.some(Boolean)) return;
  const words = (await readFile(names.publicKey, 'utf8').catch(() => '')).trim().split(' ');
  if (words.at(-1) !== keyComment(target)) {
    throw unusable(folder, 'it holds files of the same names that are not of an earlier access to this target');
  }
}

/** Call `prepareFolder` first. The public key is written first, so that whatever else is there is known as ours. */
export async function writeAccessFiles(folder: string, content: AccessFilesContent): Promise<AccessFiles> {
  const names = namesIn(folder);
  await writeWhole(names.publicKey, once(content.pair.publicKey));
  await writeWhole(names.key, once(content.pair.privateKey));
  await writeWhole(names.certificate, once(`${content.certificate}\n`));
  await writeWhole(names.knownHosts, once(content.knownHosts.map((line) => `${line}\n`).join('')));
  return { key: names.key, certificate: names.certificate, known_hosts: names.knownHosts };
}

/** OpenSSH looks for the certificate of a key under this name by itself (ssh(1), -i). */
function namesIn(folder: string) {
  const key = join(folder, 'id_ed25519');
  return { key, publicKey: `${key}.pub`, certificate: `${key}-cert.pub`, knownHosts: join(folder, 'known_hosts') };
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

function unusable(folder: string, why: string, cause?: unknown): CliError {
  return new CliError('bad_file', `The folder ${folder} can't be used: ${why}.`, {
    hint: 'Give another with --out.',
    cause,
  });
}
