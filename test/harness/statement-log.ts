/** One statement that the server began to execute, as its log tells with `log_statement = all`. */
export interface LoggedStatement {
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  readonly how: 'simple' | 'extended';
  readonly text: string;
}

// The prefix is `%m [%p] %q%u@%d `, set by the harness.
const entry =
  /^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[(\d+)\] (.*?)@(.+?) LOG: {2}(?:(statement)|execute (?:fetch from )?[^:]*): ([\s\S]*)$/;

/** Reads PostgreSQL's stderr log. Continuation lines begin with a tab there. */
export function loggedStatements(log: string): LoggedStatement[] {
  const entries: string[] = [];
  for (const line of log.split('\n')) {
    const last = entries.length - 1;
    if (line.startsWith('\t') && last >= 0) entries[last] += `\n${line.slice(1)}`;
    else entries.push(line);
  }
  return entries.flatMap((text) => {
    const match = entry.exec(text);
    if (!match) return [];
    const [, pid, user = '', database = '', simple, statement = ''] = match;
    return [{ pid: Number(pid), user, database, how: simple ? 'simple' : 'extended', text: statement }] as const;
  });
}
