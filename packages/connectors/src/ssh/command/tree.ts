/**
 * What a command line runs, and what cannot be known about it. A shell's text is read twice at most: by the strict
 * reader in `portable/`, which takes only what sh, dash, bash, zsh, ksh, busybox and fish all read alike, and, if that
 * declines, by the wide one, which reads bash, and whose result counts as not known. From either, `meaning.ts` finds
 * the programs, also behind others that run them. Nothing here expands, resolves or runs anything.
 */

/** Why something can't be known before it runs; a closed list, shown to policies as `context.reasons`. */
export type Reason =
  /** Shells differ on how this text is read. */
  | 'dialect'
  | 'variable'
  | 'substitution'
  | 'arithmetic'
  /** A file name pattern where a program should be. */
  | 'pattern'
  | 'braces'
  | 'eval'
  /** A script in a file. */
  | 'script'
  /** An interpreter that reads its program from standard input. */
  | 'stdin'
  /** A program that runs others, with arguments that may make it do so. */
  | 'interpreter'
  /** An option, of a program that runs others, that is not known here. */
  | 'option'
  /** Arguments are added by the program in front: xargs, find. */
  | 'arguments'
  | 'function'
  /** A builtin that changes how the rest is read: alias, trap, set, shopt. */
  | 'shell_state'
  /** A variable that can change which program runs, or what it does. */
  | 'environment'
  /** A redirection that changes the shell's own input or output, or opens a connection. */
  | 'redirection'
  /** A relative path behind a change of directory, or one with `..` in it. */
  | 'directory'
  /** A name that can't be told apart from another. */
  | 'name'
  /** Shells within shells, deeper than is looked into. */
  | 'nesting';

/** One word of a command line, before the shell expands it. */
export interface Word {
  /** As written. */
  readonly raw: string;
  /** After removal of quotes; where something is expanded, what was written stands there. */
  readonly value: string;
  /** Empty when `value` is what the program gets. */
  readonly reasons: ReadonlySet<Reason>;
  /** A tilde or a file name pattern in it stands for something that only the target knows. */
  readonly expanded: boolean;
  /** Some of it was quoted, so that a keyword or a tilde isn't one. */
  readonly quoted: boolean;
  /** Commands in it that run to find its value. */
  readonly inner: readonly Simple[];
}

export interface Redirection {
  readonly direction: 'read' | 'write' | 'both';
  readonly target: Word;
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

/** A simple command (POSIX 2.9.1) with where it stands. `words` may be empty. */
export interface Simple {
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
  /** Here-documents and here-strings that it reads. */
  readonly inputs: readonly Word[];
  /** Why it can't be known, beside what its words say. */
  readonly reasons: ReadonlySet<Reason>;
  readonly pipeline: boolean;
  readonly background: boolean;
}

export const noReasons: ReadonlySet<Reason> = new Set();

export function reasonsOf(...sets: readonly Iterable<Reason>[]): ReadonlySet<Reason> {
  const all = new Set<Reason>();
  for (const set of sets) for (const reason of set) all.add(reason);
  return all;
}

export function simple(part: Partial<Simple>): Simple {
  return {
    assignments: [],
    words: [],
    redirections: [],
    inputs: [],
    reasons: noReasons,
    pipeline: false,
    background: false,
    ...part,
  };
}

/** A word that means what it says. */
export function plainWord(value: string): Word {
  return { raw: value, value, reasons: noReasons, expanded: false, quoted: true, inner: [] };
}
