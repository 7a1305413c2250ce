/** Signals that have a name in the protocol (RFC 4254 section 6.10); programs also end by others. */
export const signals: ReadonlySet<string> = new Set([
  'ABRT',
  'ALRM',
  'FPE',
  'HUP',
  'ILL',
  'INT',
  'KILL',
  'PIPE',
  'QUIT',
  'SEGV',
  'TERM',
  'USR1',
  'USR2',
]);

/** As the library says it, with `SIG` in front. OpenSSH says `SIG@openssh.com` for what has no name; a target may say anything. */
export function signalName(said: string): string {
  const name = said.replace(/^SIGSIG/, 'SIG');
  return /^SIG[A-Za-z0-9.@_-]{1,64}$/.test(name) ? name : 'SIG?';
}

/** Whether the protocol has a name for it. */
export function hasName(signal: string): boolean {
  return signals.has(signal.replace(/^SIG/, ''));
}
