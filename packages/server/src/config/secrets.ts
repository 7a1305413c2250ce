import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { Environment } from './environment.ts';
import type { Reference } from './scalars.ts';

/** Larger than any password, key or URL; a file beyond it is not the one that was meant. */
const maxSecretBytes = 64 * 1024;

export type SecretErrorCode = 'secret_unavailable';

/** A referenced secret can't be had. The message names the reference, never what was found there. */
export class SecretError extends SluiceError<SecretErrorCode> {
  constructor(detail: string, cause?: unknown) {
    super('secret_unavailable', 'gateway', 'the gateway lacks a secret that it needs', { detail, cause });
    this.name = 'SecretError';
  }
}

/** Reads referenced secrets, anew each time: files may have been rotated. Paths are absolute here. */
export interface Secrets {
  /** Rejects with a SecretError. */
  read(reference: Reference): Promise<Redacted>;
}

export function createSecrets(environment: Environment): Secrets {
  return {
    async read(reference) {
      if (reference.kind === 'env') return fromEnvironment(reference.name, environment);
      try {
        fits(await stat(reference.path), reference.path);
        return fromFile(await readFile(reference.path), reference.path);
      } catch (error) {
        throw asSecretError(error, reference.path);
      }
    },
  };
}

/** As `Secrets.read`, at start-up, where nothing else is waiting. Throws a SecretError. */
export function readSecretNow(reference: Reference, environment: Environment): Redacted {
  if (reference.kind === 'env') return fromEnvironment(reference.name, environment);
  try {
    fits(statSync(reference.path), reference.path);
    return fromFile(readFileSync(reference.path), reference.path);
  } catch (error) {
    throw asSecretError(error, reference.path);
  }
}

function fromEnvironment(name: string, environment: Environment): Redacted {
  const value = environment.variables[name];
  if (value === undefined) throw new SecretError(`the environment variable ${name} is not set`);
  if (value === '') throw new SecretError(`the environment variable ${name} is empty`);
  return new Redacted(value);
}

function fits(stats: { isFile(): boolean; size: number }, path: string): void {
  // A pipe or device could keep the gateway waiting for ever.
  if (!stats.isFile()) throw new SecretError(`${path} is not a file`);
  if (stats.size > maxSecretBytes) throw new SecretError(`${path} is larger than ${maxSecretBytes} bytes`);
}

function fromFile(bytes: Uint8Array, path: string): Redacted {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SecretError(`${path} is not UTF-8 text`);
  }
  // Editors and `echo` end a file with a line break that is not part of the secret.
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError(`${path} is empty`);
  if (secret.includes('\0')) throw new SecretError(`${path} contains a NUL byte`);
  return new Redacted(secret);
}

function asSecretError(error: unknown, path: string): SecretError {
  if (error instanceof SecretError) return error;
  return new SecretError(`${path} ${fileTrouble(error)}`, error);
}

/** What a failed file operation means, in words; the operating system's code for anything unusual. */
export function fileTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOTDIR':
      return 'lies below something that is not a directory';
    default:
      return `can’t be read (${code})`;
  }
}
