/** A word as a POSIX shell reads back to exactly this value: bare where nothing in it is special, else in single quotes. */
export function quote(value: string): string {
  if (/^[\w./:@%+,-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", "'\\''")}'`;
}
