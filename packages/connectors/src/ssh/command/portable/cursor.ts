/**
 * Reads the part of the shell's language (POSIX 2018, XCU 2) on which sh, dash, bash, zsh, ksh, busybox and fish agree,
 * and nothing else: what it does not know, and what one of them reads in another way, is `NotPortable`. It is not a
 * parser for scripts in general, and it recovers from nothing.
 */
import { CommandError, NotPortable } from '../error.ts';
import type { Word } from '../tree.ts';

/** Deepest nesting of substitutions, groups and compound commands. */
const deepest = 24;
/** Most here-documents that are owed at once. */
const mostDocuments = 20;

/** A here-document whose body comes behind the next newline. */
interface Awaited {
  readonly delimiter: string;
  readonly stripTabs: boolean;
  readonly body: (text: string) => void;
}

/** A place in the text, with what is still owed there. */
export class Cursor {
  readonly text: string;
  at = 0;
  /** Within how many substitutions this text stands. */
  readonly substituted: number;
  #depth: number;
  readonly #awaited: Awaited[] = [];

  constructor(text: string, substituted = 0, depth = 0) {
    this.text = text;
    this.substituted = substituted;
    this.#depth = depth;
  }

  get depth(): number {
    return this.#depth;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The character at the cursor or behind it; empty at the end. */
  peek(ahead = 0): string {
    return this.text.charAt(this.at + ahead);
  }

  looksAt(what: string): boolean {
    return this.text.startsWith(what, this.at);
  }

  take(what: string): boolean {
    if (!this.looksAt(what)) return false;
    this.at += what.length;
    return true;
  }

  expect(what: string): void {
    if (!this.take(what)) this.decline(`no ${what}`);
  }

  /** `pattern` must be sticky. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text) ?? undefined;
  }

  decline(why: string): never {
    throw new NotPortable(`${why} at ${this.at}`);
  }

  nested<T>(read: () => T): T {
    if (this.#depth >= deepest) throw tooDeep();
    this.#depth++;
    const result = read();
    this.#depth--;
    return result;
  }

  /** Blanks, joined lines and comments before a token. */
  skipBlanks(): void {
    for (;;) {
      const char = this.peek();
      if (char === ' ' || char === '\t') this.at++;
      else if (char === '\\' && this.peek(1) === '\n') {
        // Between an operator and what follows, shells differ on whether the halves are one.
        if (this.at > 0 && !/[ \t\n]/.test(this.text.charAt(this.at - 1))) this.decline('a joined line');
        if (this.awaitsDocument) this.decline('a joined line before a here-document');
        this.at += 2;
      } else if (char === '#') {
        // Some shells look for the end of a substitution without knowing of comments.
        if (this.substituted > 0) this.decline('a comment in a substitution');
        while (!this.done && this.peek() !== '\n') this.at++;
      } else return;
    }
  }

  skipNewlines(): void {
    this.skipBlanks();
    while (this.peek() === '\n') {
      this.newline();
      this.skipBlanks();
    }
  }

  get awaitsDocument(): boolean {
    return this.#awaited.length > 0;
  }

  awaitDocument(document: Awaited): void {
    if (this.#awaited.length >= mostDocuments) throw tooDeep();
    this.#awaited.push(document);
  }

  /** Over a newline, and over the here-documents behind it. */
  newline(): void {
    this.at++;
    for (const { delimiter, stripTabs, body } of this.#awaited.splice(0)) {
      const lines: string[] = [];
      for (;;) {
        if (this.done) this.decline('a here-document without an end');
        const end = this.text.indexOf('\n', this.at);
        const written = this.text.slice(this.at, end === -1 ? undefined : end);
        this.at = end === -1 ? this.text.length : end + 1;
        const line = stripTabs ? written.replace(/^\t+/, '') : written;
        if (line === delimiter) break;
        lines.push(line);
      }
      body(lines.join('\n'));
    }
  }
}

export function tooDeep(): CommandError {
  return new CommandError(
    'too_complex',
    'The command line is nested too deep.',
    'Send it as several commands, or put it into a script on the target.',
  );
}

export type ReadWord = (cursor: Cursor) => Word;
