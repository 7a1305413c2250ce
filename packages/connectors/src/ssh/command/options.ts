import type { Word } from './tree.ts';

/** The options of a program that runs another, as far as they are known; an unknown one hides what is run. */
export interface OptionForm {
  /** Letters without a value. */
  readonly flags?: string;
  /** Letters with a value, in the same word or the next. */
  readonly values?: string;
  readonly longFlags?: readonly string[];
  readonly longValues?: readonly string[];
  /** Takes `NAME=value` in front of the command. */
  readonly assignments?: true;
  /** Options may follow assignments. */
  readonly mixed?: true;
  /** Words between the options and the command: a duration, a file. */
  readonly positional?: number;
  /** `-10` is an option. */
  readonly numeric?: true;
  /** `-` alone is an option. */
  readonly dash?: true;
}

export interface Skipped {
  /** Where the command begins; the number of words if there is none. */
  readonly at: number;
  /** All options, short ones as single letters, in order. */
  readonly options: readonly string[];
  readonly assigned: readonly { readonly name: string; readonly value: string }[];
}

/** Over options and what else stands in front of the command; undefined when something there is not known. */
export function skipOptions(words: readonly Word[], form: OptionForm): Skipped | undefined {
  const options: string[] = [];
  const assigned: { name: string; value: string }[] = [];
  let at = 1;
  let over = false;
  for (; at < words.length; at++) {
    const word = words[at];
    if (!word || !isKnown(word)) return undefined;
    const { value } = word;
    const assignment = form.assignments && /^([^=-][^=]*)=(.*)$/s.exec(value);
    if (assignment) {
      assigned.push({ name: assignment[1] ?? '', value: assignment[2] ?? '' });
    } else if (over || !value.startsWith('-') || (value === '-' && !form.dash)) break;
    else if (assigned.length > 0 && !form.mixed) return undefined;
    else if (value === '--') over = true;
    else {
      const took = takeOption(value, words[at + 1], form, options);
      if (took === undefined) return undefined;
      at += took;
    }
  }
  for (let left = form.positional ?? 0; left > 0 && at < words.length; left--, at++) {
    const word = words[at];
    if (!word || !isKnown(word)) return undefined;
  }
  return { at: Math.min(at, words.length), options, assigned };
}

/** Whether the shell gives the program exactly this word. */
export function isKnown(word: Word): boolean {
  return word.reasons.size === 0 && !word.expanded;
}

/** How many further words the option takes; undefined when it is not known. */
function takeOption(value: string, next: Word | undefined, form: OptionForm, options: string[]): number | undefined {
  if (value === '-') return 0;
  if (form.numeric && /^-\d+$/.test(value)) return 0;
  if (value.startsWith('--')) {
    const equals = value.indexOf('=');
    const name = value.slice(2, equals === -1 ? undefined : equals);
    options.push(name);
    if (equals === -1 && form.longFlags?.includes(name)) return 0;
    if (!form.longValues?.includes(name)) return undefined;
    if (equals !== -1) return 0;
    return next && isKnown(next) ? 1 : undefined;
  }
  for (let index = 1; index < value.length; index++) {
    const letter = value.charAt(index);
    options.push(letter);
    if (form.flags?.includes(letter)) continue;
    if (!form.values?.includes(letter)) return undefined;
    if (index < value.length - 1) return 0;
    return next && isKnown(next) ? 1 : undefined;
  }
  return 0;
}
