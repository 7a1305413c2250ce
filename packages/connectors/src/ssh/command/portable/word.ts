import { type Reason, reasonsOf, type Simple, type Word } from '../tree.ts';
import { Cursor } from './cursor.ts';

/** Reads the commands of a substitution up to its end. */
export type ReadCommands = (cursor: Cursor) => readonly Simple[];

const ends = new Set([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')', '']);

/** `${…}` as far as all shells find its end in the same place: no quotes and no substitutions in it. */
const braced = /\{(?:#[A-Za-z_]\w*|(?:[A-Za-z_]\w*|\d+|[@*#?$!-])(?:(?::?[-=+?]|##?|%%?)[\w./:@%+,=* -]*)?)\}/y;
const named = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;
const arithmetic = /\(\([\w +*/%<>=!&|^~?:$-]*\)\)/y;
/** Parameters whose value is a number that the shell makes itself. */
const counted = new Set(['#', '?', '$', '!']);

/** One word in the making. */
export class WordReader {
  readonly #cursor: Cursor;
  readonly #commands: ReadCommands;
  readonly #reasons = new Set<Reason>();
  readonly #inner: Simple[] = [];
  #value = '';
  #expanded = false;
  #quoted = false;

  constructor(cursor: Cursor, commands: ReadCommands) {
    this.#cursor = cursor;
    this.#commands = commands;
  }

  /** An unquoted word; `assigned` when it is the value of an assignment, which may be empty. */
  read(assigned = false): Word {
    const c = this.#cursor;
    const start = c.at;
    if (!assigned) this.#checkStart();
    while (!ends.has(c.peek())) this.#piece(c.at === start, start);
    if (c.peek() === '(') c.decline('a parenthesis in a word');
    const raw = c.text.slice(start, c.at);
    if (c.awaitsDocument && raw.includes('\n')) c.decline('a word over several lines before a here-document');
    if (raw === '' && !assigned) c.decline('no word');
    return this.#word(raw);
  }

  /** The body of a here-document whose delimiter was not quoted. */
  readDocument(): Word {
    while (!this.#cursor.done) this.#inDouble();
    return this.#word(this.#cursor.text);
  }

  #word(raw: string): Word {
    return {
      raw,
      value: this.#value,
      reasons: reasonsOf(this.#reasons),
      expanded: this.#expanded,
      quoted: this.#quoted,
      inner: this.#inner,
    };
  }

  #checkStart(): void {
    const c = this.#cursor;
    // zsh: the path of a program. fish 2: where errors go.
    if (c.peek() === '=' && !ends.has(c.peek(1)) && !(c.peek(1) === '=' && ends.has(c.peek(2)))) c.decline('=word');
    if (c.peek() === '^') c.decline('^word');
    if (c.looksAt('{}') && ends.has(c.peek(2))) {
      c.at += 2;
      this.#value = '{}';
    }
  }

  #piece(first: boolean, start: number): void {
    const c = this.#cursor;
    const char = c.peek();
    switch (char) {
      case '\\':
        this.#escape();
        return;
      case "'":
        this.#single();
        return;
      case '"':
        this.#double();
        return;
      case '$':
        this.#dollar(false);
        return;
      case '`':
        this.#backquote(false);
        return;
      case '{':
      case '}':
        c.decline('a brace');
        return;
      case '*':
      case '?':
      case '[':
        this.#expanded ||= !(char === '[' && first && ends.has(c.peek(1)));
        break;
      case '~':
        this.#expanded ||= first || /[=:]/.test(c.text.charAt(c.at - 1)) || c.at === start;
        break;
    }
    this.#value += char;
    c.at++;
  }

  #escape(): void {
    const c = this.#cursor;
    const char = c.peek(1);
    // fish reads \n, \x72 and \u0072 here; a joined line within a word may join an operator elsewhere.
    if (char === '' || char === '\n' || /[A-Za-z0-9]/.test(char)) c.decline('an escape');
    this.#quoted = true;
    this.#value += char;
    c.at += 2;
  }

  #single(): void {
    const c = this.#cursor;
    const end = c.text.indexOf("'", c.at + 1);
    if (end === -1) c.decline('an open quote');
    const inside = c.text.slice(c.at + 1, end);
    // fish knows \' and \\ here.
    if (inside.endsWith('\\') || inside.includes('\\\\')) c.decline('a backslash in single quotes');
    this.#quoted = true;
    this.#value += inside;
    c.at = end + 1;
  }

  #double(): void {
    const c = this.#cursor;
    this.#quoted = true;
    c.at++;
    while (c.peek() !== '"') {
      if (c.done) c.decline('an open quote');
      this.#inDouble();
    }
    c.at++;
  }

  #inDouble(): void {
    const c = this.#cursor;
    const char = c.peek();
    if (char === '$') {
      this.#dollar(true);
      return;
    }
    if (char === '`') {
      this.#backquote(true);
      return;
    }
    if (char === '\\') {
      const next = c.peek(1);
      if (next === '\n' || next === '`') c.decline('an escape in double quotes');
      if (next === '$' || next === '"' || next === '\\') {
        this.#value += next;
        c.at += 2;
        return;
      }
    }
    this.#value += char;
    c.at++;
  }

  #dollar(double: boolean): void {
    const c = this.#cursor;
    const start = c.at;
    c.at++;
    const next = c.peek();
    if (next === '(') this.#parenthesis();
    else if (next === '{') {
      const found = c.match(braced) ?? c.decline('an expansion');
      c.at += found[0].length;
      this.#reasons.add('variable');
    } else {
      const found = c.match(named);
      if (!found) {
        this.#loneDollar(double);
        return;
      }
      c.at += found[0].length;
      // zsh: an element of it, found by arithmetic.
      if (c.peek() === '[') c.decline('an element of a variable');
      if (counted.has(found[0])) this.#expanded = true;
      else this.#reasons.add('variable');
    }
    this.#value += c.text.slice(start, c.at);
  }

  #loneDollar(double: boolean): void {
    const c = this.#cursor;
    const next = c.peek();
    const harmless = next === '' || /[\s/.,;:|&)>\]]/.test(next) || (double && /["'%(]/.test(next));
    if (!harmless || next === ':' || (next === '\\' && c.peek(1) === '\n')) c.decline('a dollar sign');
    this.#value += '$';
  }

  #parenthesis(): void {
    const c = this.#cursor;
    if (c.peek(1) === '(') {
      const found = c.match(arithmetic) ?? c.decline('arithmetic');
      c.at += found[0].length;
      this.#reasons.add('arithmetic');
      return;
    }
    if (c.awaitsDocument) c.decline('a substitution before a here-document');
    const inside = new Cursor(c.text, c.substituted + 1, c.depth);
    inside.at = c.at + 1;
    for (const command of c.nested(() => this.#commands(inside))) this.#inner.push(command);
    if (!inside.take(')')) c.decline('an open substitution');
    c.at = inside.at;
    this.#reasons.add('substitution');
  }

  #backquote(double: boolean): void {
    const c = this.#cursor;
    const end = c.text.indexOf('`', c.at + 1);
    const inside = c.text.slice(c.at + 1, end);
    if (end === -1 || inside.includes('\\') || (double && inside.includes('"'))) c.decline('backquotes');
    const cursor = new Cursor(inside, c.substituted + 1, c.depth + 1);
    for (const command of c.nested(() => this.#commands(cursor))) this.#inner.push(command);
    if (!cursor.done) c.decline('backquotes');
    this.#value += c.text.slice(c.at, end + 1);
    c.at = end + 1;
    this.#reasons.add('substitution');
  }
}
