import { readFileSync } from 'node:fs';

/** As in this package's package.json. */
export const version: string = String(
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: unknown }).version,
);
