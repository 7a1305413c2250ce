/** Who wants to go where, as the client's user name says it: `<target>` or `<user>+<target>`. */
export interface UserName {
  readonly target: string;
  /** An access credential's id, or a subject; to be held against the proof. */
  readonly user?: string;
}

const longest = 512;

/** Undefined for a name that says neither. Targets have no plus sign in their names; subjects may have. */
export function readUserName(name: string): UserName | undefined {
  if (name.length > longest || /[\p{Cc}\p{Cs}\ufffd]/u.test(name)) return undefined;
  const plus = name.lastIndexOf('+');
  const target = name.slice(plus + 1);
  if (target === '' || plus === 0) return undefined;
  return plus < 0 ? { target } : { target, user: name.slice(0, plus) };
}
