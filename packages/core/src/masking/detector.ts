// What a detector is: a pure function that says, for one place in a text, whether a value of its kind stands there.
// It is asked for every place from left to right, so it never looks far back and always bounds how far it looks ahead.

/** Text as somebody would read it, and whether more of it may come. */
export class Page {
  readonly text: string;
  /** True when nothing follows: a detector may then not ask for more. */
  readonly final: boolean;
  #wordStart = 0;
  #wordEnd = 0;

  constructor(text: string, final: boolean) {
    this.text = text;
    this.final = final;
  }

  /** The character's code; NaN behind the end. */
  code(at: number): number {
    return this.text.charCodeAt(at);
  }

  /** Whether what stands at `at` is not known yet. */
  unknown(at: number): boolean {
    return at >= this.text.length && !this.final;
  }

  /** The end of the run of characters that `belongs`, but no further than `limit`. */
  runEnd(at: number, limit: number, belongs: (code: number) => boolean): number {
    let end = at;
    while (end < limit && belongs(this.code(end))) end += 1;
    return end;
  }

  /** Like `runEnd` without limit, remembered, so that asking at each place of one run costs one walk. */
  wordEnd(at: number, belongs: (code: number) => boolean): number {
    if (at < this.#wordStart || at >= this.#wordEnd) {
      this.#wordStart = at;
      this.#wordEnd = this.runEnd(at, this.text.length, belongs);
    }
    return this.#wordEnd;
  }
}

export interface Match {
  readonly start: number;
  readonly end: number;
  /** Set when the value was longer than what is looked at: it goes on while this holds. */
  readonly tail?: (code: number) => boolean;
  /** Place of the `@` behind a URL's password, which makes what stands there no e-mail address. */
  readonly at?: number;
  /** Set for the opening line of a private key, whose body follows. */
  readonly opensKey?: true;
}

/**
 * `weak`: more text is needed, but what is there is still like any word; `strong`: more is needed, and what is there
 * should not be shown before it is clear. Neither is given for a final page. Undefined: no value begins here.
 */
export type Reading = Match | 'weak' | 'strong' | undefined;

export interface Detector {
  readonly label: string;
  /** The ASCII characters that it can begin with. */
  readonly first: string;
  /** Whether characters beyond ASCII can begin it as well. */
  readonly beyondAscii?: true;
  /** `start`: only where no ASCII letter or digit stands before. */
  readonly where: 'start' | 'anywhere';
  read(page: Page, at: number): Reading;
}

export const digits = '0123456789';
export const lowerCase = 'abcdefghijklmnopqrstuvwxyz';
export const upperCase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Stands in a page for a double quote that was written with a backslash; a character for private use. */
export const escapedQuote = '\ue022';

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

export const isAlphanumeric = (code: number): boolean => isDigit(code) || isLetter(code);

export const isBlank = (code: number): boolean => code === 32 || code === 9;

export const isLineBreak = (code: number): boolean => code === 10 || code === 13;

/** RFC 4648 section 5, without padding. */
export const isBase64Url = (code: number): boolean => isAlphanumeric(code) || code === 45 || code === 95;

/** RFC 4648 section 4, with padding. */
export const isBase64 = (code: number): boolean => isAlphanumeric(code) || code === 43 || code === 47 || code === 61;

/** How much of `word` (lower case) stands at `at`, in any case: all of it, only its beginning up to the end, or not. */
export function wordAt(page: Page, at: number, word: string): 'all' | 'begun' | undefined {
  for (let i = 0; i < word.length; i++) {
    if (page.unknown(at + i)) return 'begun';
    const code = page.code(at + i);
    if ((code >= 65 && code <= 90 ? code + 32 : code) !== word.charCodeAt(i)) return undefined;
  }
  return 'all';
}
