/**
 * For the tests of this folder: a good configuration with all it refers to, to be spoiled one line at a time. No test
 * of its own.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TargetForm } from '@sluice/core/contract/upstream.ts';
import { type ConfigOptions, checkConfig } from '../load.ts';
import { formatProblem } from '../problem.ts';

/** For tests: a folder with everything a good configuration refers to. */
export interface ConfigFolder {
  readonly dir: string;
  /** Returns the path of a new file with this text. */
  write(text: string | Uint8Array): string;
  /** What is wrong with the text, without the file in front: `4:5: error: path: message`; `<dir>` for the folder. */
  problems(text: string | Uint8Array): string[];
  remove(): void;
}

function formOf(key: string, labelled?: string): TargetForm {
  return {
    settings: [{ key, form: 'text', doc: `Handed to it as ${key}.` }],
    credential: { username: 'required', secrets: [{ key: 'password', doc: 'Its password.' }] },
    reachedBy: ['address'],
    ...(labelled === undefined ? {} : { labelled }),
  };
}

export const options: ConfigOptions = {
  connectors: [
    { id: 'postgres', targets: formOf('database', '<schema>.<table>.<column>') },
    { id: 'parrot', targets: formOf('perch') },
  ],
  environment: {
    variables: {
      SHOP_PASSWORD: 's3cret-value',
      EMPTY: '',
      STORE_URL: 'postgres://u:p4ssword@db/sluice',
      NOT_URL: 'hunter2',
    },
  },
};

export const listen = 'listen:\n  api: 127.0.0.1:0\n  postgres: 127.0.0.1:0\n';
export const identity = 'identity:\n  issuers:\n    - issuer: https://login.example.com\n      audience: sluice\n';
export const targets =
  'targets:\n  - name: shop\n    connector: postgres\n    address: 127.0.0.1:5432\n    database: shop\n    credential: {username: gw, password: env:SHOP_PASSWORD}\n';
export const base = listen + identity + targets;

/** What is wrong, the text, and every problem with its place. */
export type BadCase = readonly [string, () => string | Uint8Array, string[]];

export function makeConfigFolder(): ConfigFolder {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  let written = 0;
  mkdirSync(join(dir, 'policies'));
  writeFileSync(join(dir, 'policies', 'a.cedar'), '');
  writeFileSync(join(dir, 'password'), 'from-file\n');
  writeFileSync(join(dir, 'empty'), '');
  writeFileSync(join(dir, 'noise.pem'), 'not a certificate');
  for (const name of ['one.crt', 'one.key', 'two.key']) {
    copyFileSync(new URL(`fixtures/${name}`, import.meta.url), join(dir, name));
  }
  const write = (text: string | Uint8Array): string => {
    written += 1;
    const file = join(dir, `sluice-${written}.yaml`);
    writeFileSync(file, text);
    return file;
  };
  return {
    dir,
    write,
    problems(text) {
      const file = write(text);
      const found = checkConfig(file, options).map(formatProblem);
      return found.map((problem) => problem.replace(`${file}:`, '').replaceAll(dir, '<dir>'));
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
