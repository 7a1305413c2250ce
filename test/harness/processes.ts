import { readdirSync, readFileSync } from 'node:fs';

/** How many processes of this machine have exactly these arguments: the very program, not one that asked for it. */
export function processes(...argv: readonly string[]): number {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.filter((number) => {
    try {
      return readFileSync(`/proc/${number}/cmdline`, 'utf8') === argv.map((each) => `${each}\0`).join('');
    } catch {
      return false;
    }
  }).length;
}
