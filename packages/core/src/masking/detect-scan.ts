import { card } from './detect-card.ts';
import { prefixedKey } from './detect-cloud-key.ts';
import type { ControlKind } from './detect-control.ts';
import { email } from './detect-email.ts';
import { iban } from './detect-iban.ts';
import { jwt } from './detect-jwt.ts';
import { fiscalCode, namedNumber, nationalNumber } from './detect-national-id.ts';
import { authorization, namedCloudKey, namedPassword, urlPassword } from './detect-password.ts';
import { phone } from './detect-phone.ts';
import { beginKey, type KeyBody, keyGoesOn, privateKey } from './detect-private-key.ts';
import { quietEnd } from './detect-quiet.ts';
import { readView, type View } from './detect-view.ts';
import { type Detector, isAlphanumeric, type Match, Page } from './detector.ts';
import { redacted } from './sentinel.ts';

const detectors: readonly Detector[] = [
  privateKey,
  prefixedKey,
  jwt,
  urlPassword,
  namedCloudKey,
  namedPassword,
  authorization,
  card,
  iban,
  nationalNumber,
  fiscalCode,
  namedNumber,
  email,
  phone,
];

/** The labels that detectors give, sorted. */
export const detectedLabels: readonly string[] = [...new Set(detectors.map(({ label }) => label))].sort();

/** By first character: where a letter or digit stands before, and where none does. */
const inWord: number[][] = Array.from({ length: 128 }, () => []);
const atStart: number[][] = Array.from({ length: 128 }, () => []);
const beyond: number[] = [];
for (const [index, { first, where, beyondAscii }] of detectors.entries()) {
  for (const letter of new Set(first)) {
    atStart[letter.charCodeAt(0)]?.push(index);
    if (where === 'anywhere') inWord[letter.charCodeAt(0)]?.push(index);
  }
  if (beyondAscii) beyond.push(index);
}
const none: readonly number[] = [];

/** A value to be hidden. */
export interface Hidden {
  readonly label: string;
  /** The value as it reads, without what stood between its characters; of a private key, its opening line. */
  readonly value: string;
  /** True when its beginning has been shown already, because the text had paused there. */
  readonly partly: boolean;
}

/** Told of the whole source, in order, each part of it once. */
export interface ScanSink {
  /** A value was seen, hidden or not. */
  found(label: string): void;
  show(source: string): void;
  /** What comes next is part of this value, until something is shown. */
  hide(value: Hidden): void;
  swallow(source: string): void;
  /** A control sequence that is too long to be looked at. */
  drop(source: string): void;
}

interface Candidate extends Match {
  readonly label: string;
}

/** How many characters before the place that is being read are kept, for detectors to look at. */
const contextLength = 4;

/** How deep texts of control sequences are looked at within each other. */
const deepest = 3;

/** A bound on what is held, in characters, whatever is in it. */
export const mostHeld = 256 * 1024;

/**
 * Reads a text that comes in parts and says which of it to hide. What it says depends on the text alone and not on how
 * it is split, except behind a `pause` and when more has to be held than it can hold.
 */
export class Scan {
  readonly #hidden: (label: string) => boolean;
  readonly #sink: ScanSink;
  readonly #depth: number;
  /** What is not decided yet. Places in the page are relative to its beginning between two calls. */
  #source = '';
  #context = '';
  #dropping: ControlKind | undefined;
  /** How much of the source has been shown at a pause. */
  #released = 0;
  /** Values that begin behind the place at which they were recognised. */
  #waiting: Candidate[] = [];
  /** For each detector, the end of its last match. */
  #until: number[] = detectors.map(() => 0);
  /** The end of what is being hidden; undefined when nothing is. */
  #cover: number | undefined;
  #tail: ((code: number) => boolean) | undefined;
  #key: KeyBody | undefined;
  /** Places of `@` that stand behind a URL's password. */
  #notEmail = new Set<number>();

  constructor(hidden: (label: string) => boolean, sink: ScanSink, depth = 0) {
    this.#hidden = hidden;
    this.#sink = sink;
    this.#depth = depth;
  }

  push(text: string): void {
    for (let at = 0; at < text.length; ) {
      if (this.#isFresh()) at = this.#showQuiet(text, at);
      // Line by line, to get back to where nothing is open.
      const next = text.indexOf('\n', at) + 1;
      const end = next === 0 ? text.length : next;
      if (end === at) continue;
      this.#source += text.slice(at, end);
      this.#read(false);
      if (this.#source.length > mostHeld) this.#overflow();
      at = end;
    }
  }

  /** Whether a line begins, and nothing before it matters any more. */
  #isFresh(): boolean {
    const line = this.#context === '' || this.#context.endsWith('\n');
    const open = this.#cover !== undefined || this.#key !== undefined || this.#dropping !== undefined;
    return line && !open && this.#source === '' && this.#waiting.length === 0;
  }

  /** Shows the lines from `at` on in which no detector can find anything; returns the place behind them. */
  #showQuiet(text: string, at: number): number {
    const end = quietEnd(text, at);
    if (end === at) return at;
    this.#sink.show(text.slice(at, end));
    this.#context = text.slice(Math.max(at, end - contextLength), end);
    this.#rebase(at - end);
    return end;
  }

  /** Decides all that is left, with a last part. */
  end(text = ''): void {
    this.#source += text;
    this.#read(true);
  }

  /** Shows what is held and is no more like a value than any word is. */
  pause(): void {
    const view = this.#view(false);
    const page = new Page(this.#context + view.text, false);
    const base = this.#context.length;
    if (this.#cover !== undefined) {
      // Behind a part of a key, what begins like a word is one; lines of keys come faster.
      const isWord = page.runEnd(base, page.text.length, (code) => !isAlphanumeric(code)) < page.text.length;
      if (this.#cover > 0 || this.#key === undefined || !isWord) return;
      if (keyGoesOn(page, base, { ...this.#key }) === 'strong') return;
      this.#key = undefined;
      this.#cover = undefined;
    }
    let place = base;
    while (place < page.text.length && !this.#isTelling(page, place)) place += 1;
    if (this.#waiting.length > 0) place = Math.min(place, base + Math.min(...this.#waiting.map(({ start }) => start)));
    const whole = place === page.text.length;
    const end = !whole ? startOf(view, place - base) : view.begun === 'control' ? view.length : this.#source.length;
    if (end <= this.#released) return;
    this.#show(view, 0, end);
    this.#released = end;
  }

  /** Whether nothing is held or being hidden: all that came has been shown. */
  get clear(): boolean {
    const open = this.#cover !== undefined || this.#dropping !== undefined || this.#waiting.length > 0;
    return !open && this.#released >= this.#source.length;
  }

  #isTelling(page: Page, place: number): boolean {
    for (const index of candidatesAt(page, place)) {
      const reading = detectors[index]?.read(page, place);
      if (reading !== undefined && reading !== 'weak') return true;
    }
    return false;
  }

  #view(final: boolean): View {
    return readView(this.#source, final, this.#context, this.#dropping);
  }

  #read(final: boolean): void {
    const view = this.#view(final);
    const base = this.#context.length;
    const page = new Page(this.#context + view.text, final);
    this.#rebase(base);
    /** Up to here the sink has been told. */
    let from = 0;
    let place = base;
    for (; ; place++) {
      if (this.#cover === place && !this.#extend(page, place)) break;
      if (this.#cover === place) {
        if (place > base) from = this.#swallow(from, endOf(view, place - base - 1));
        this.#cover = undefined;
      }
      if (place >= page.text.length || !this.#recognise(page, place)) break;
      const found = this.#beginning(place);
      if (found === undefined) continue;
      if (this.#cover === undefined) {
        const start = startOf(view, place - base);
        from = this.#show(view, from, start);
        const value = page.text.slice(found.start, found.end);
        this.#sink.hide({ label: found.label, value, partly: start < this.#released });
      } else if (found.end <= this.#cover) continue;
      this.#cover = found.end;
      this.#tail = found.tail;
      this.#key = found.opensKey ? beginKey() : undefined;
    }
    this.#commit(view, page, base, place, from);
  }

  /** Hides more where what is hidden goes on at `place`; false when that can't be told yet. */
  #extend(page: Page, place: number): boolean {
    if (this.#tail !== undefined) {
      if (page.unknown(place)) return false;
      if (this.#tail(page.code(place))) this.#cover = place + 1;
      else this.#tail = undefined;
    } else if (this.#key !== undefined) {
      const step = keyGoesOn(page, place, this.#key);
      if (typeof step === 'string') return false;
      if (step !== undefined) this.#cover = step.end;
      if (step === undefined || step.over) this.#key = undefined;
    }
    return true;
  }

  /** Asks the detectors; false when one of them can't tell yet. */
  #recognise(page: Page, place: number): boolean {
    const candidates = candidatesAt(page, place);
    if (candidates.length === 0) return true;
    let clear = true;
    for (const index of candidates) {
      const detector = detectors[index];
      if (detector === undefined || (this.#until[index] ?? 0) > place) continue;
      const reading = detector.read(page, place);
      if (typeof reading === 'string') clear = false;
      if (typeof reading !== 'object') continue;
      this.#until[index] = reading.end;
      if (reading.at !== undefined && detector.label === email.label && this.#notEmail.has(reading.at)) continue;
      if (reading.at !== undefined && detector.label !== email.label) this.#notEmail.add(reading.at);
      if (isMask(page.text.slice(reading.start, reading.end))) continue;
      this.#sink.found(detector.label);
      if (this.#hidden(detector.label)) this.#waiting.push({ ...reading, label: detector.label });
    }
    return clear;
  }

  /** The longest of the values to be hidden that begin at `place`. */
  #beginning(place: number): Candidate | undefined {
    if (this.#waiting.length === 0) return undefined;
    const here = this.#waiting.filter(({ start }) => start <= place);
    if (here.length === 0) return undefined;
    this.#waiting = this.#waiting.filter(({ start }) => start > place);
    return here.reduce((longest, each) => (each.end > longest.end ? each : longest));
  }

  /** Keeps what is behind `place`, and turns places into such that are relative to it. */
  #commit(view: View, page: Page, base: number, place: number, from: number): void {
    const all = place >= page.text.length;
    let end = all ? view.length : startOf(view, place - base);
    if (this.#cover === undefined) this.#show(view, from, end);
    else {
      // What nobody sees behind the last hidden character is hidden if more is, so it has to wait.
      if (this.#cover === place) end = place > base ? endOf(view, place - base - 1) : 0;
      this.#swallow(from, end);
    }
    this.#dropping = end === this.#source.length ? view.dropping : undefined;
    this.#context = page.text.slice(Math.max(0, place - contextLength), place);
    this.#source = this.#source.slice(end);
    this.#released = Math.max(0, this.#released - end);
    this.#rebase(-place);
  }

  #rebase(by: number): void {
    this.#until = this.#until.map((end) => Math.max(0, end + by));
    this.#waiting = this.#waiting.map((each) => ({ ...each, start: each.start + by, end: each.end + by }));
    if (this.#cover !== undefined) this.#cover += by;
    this.#notEmail = new Set([...this.#notEmail].map((at) => at + by).filter((at) => at >= 0));
  }

  #show(view: View, from: number, end: number): number {
    let start = Math.max(from, this.#released);
    const parts = [
      ...view.contents.map((range) => ({ ...range, dropped: false })),
      ...view.dropped.map((range) => ({ ...range, dropped: true })),
    ];
    for (const part of parts.sort((a, b) => a.start - b.start)) {
      if (part.start < start || part.end > end) continue;
      if (part.start > start) this.#sink.show(this.#source.slice(start, part.start));
      const text = this.#source.slice(part.start, part.end);
      if (part.dropped || this.#depth >= deepest) this.#sink.drop(text);
      else {
        const inner = new Scan(this.#hidden, this.#sink, this.#depth + 1);
        inner.end(text);
      }
      start = part.end;
    }
    if (start < end) this.#sink.show(this.#source.slice(start, end));
    return Math.max(from, end);
  }

  #swallow(from: number, end: number): number {
    const start = Math.max(from, this.#released);
    if (start < end) this.#sink.swallow(this.#source.slice(start, end));
    return Math.max(from, end);
  }

  #overflow(): void {
    this.#sink.hide({ label: '', value: '', partly: true });
    this.#swallow(0, this.#source.length);
    this.#source = '';
    this.#context = '';
    this.#released = 0;
    this.#waiting = [];
    this.#until = detectors.map(() => 0);
    this.#cover = undefined;
    this.#tail = undefined;
    this.#key = undefined;
    this.#notEmail.clear();
  }
}

/** The detectors that a value at `place` can be of. */
function candidatesAt(page: Page, place: number): readonly number[] {
  const code = page.code(place);
  if (code >= 128) return beyond;
  return (isAlphanumeric(page.code(place - 1)) ? inWord[code] : atStart[code]) ?? none;
}

const startOf = (view: View, index: number): number => (view.starts === undefined ? index : (view.starts[index] ?? 0));
const endOf = (view: View, index: number): number => (view.ends === undefined ? index + 1 : (view.ends[index] ?? 0));

/** A value that has been masked whole is not masked again. */
function isMask(value: string): boolean {
  return value === redacted || /^(?:.?#\*\*\*#|masked_[ht](?:[0-9a-f]{16}){1,2})$/su.test(value);
}
