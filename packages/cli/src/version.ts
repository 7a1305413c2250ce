import { readFileSync } from 'node:fs';

const { version: written } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Of this command, and of the gateway in the same checkout. */
export const version: string = written;
