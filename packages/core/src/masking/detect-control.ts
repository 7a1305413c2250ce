// Control sequences of terminals (ECMA-48 section 5, and what xterm adds), as far as it takes to read around them.

/** One control sequence, or one piece of it. */
export interface Control {
  readonly end: number;
  /** What it is like to a reader: nothing, a blank, or the beginning of another line. */
  readonly reads: '' | ' ' | '\n';
  /** Where its text stands, for one that carries text: a window's title, a link, the clipboard. */
  readonly content?: { readonly start: number; readonly end: number };
  /** Too long to be held: it must not be shown, and goes on as this kind if its end has not come. */
  readonly oversized?: 'open' | 'closed';
}

/** `CSI` stands for a sequence with parameters, `string` for one with text. */
export type ControlKind = 'sequence' | 'string';

const longestSequence = 128;
const longestString = 4096;

/** Final bytes that move the cursor to another line or place; and to the right, which looks like blanks. */
const moves = 'ABEFGHdefJST`';
const blanks = 'Ca';

const isBetween = (code: number, from: number, to: number): boolean => code >= from && code <= to;

/** True where a control sequence begins: ESC, or the one-character forms of CSI, DCS, SOS, OSC, PM, APC. */
export function beginsControl(code: number): boolean {
  return code === 0x1b || isBetween(code, 0x90, 0x9f);
}

/** The control sequence at `at`; undefined when its end has not come yet. */
export function readControl(source: string, at: number, final: boolean): Control | undefined {
  const first = source.charCodeAt(at);
  if (first !== 0x1b) return readC1(source, at, at + 1, first, final);
  const second = source.charCodeAt(at + 1);
  if (Number.isNaN(second)) return final ? { end: at + 1, reads: '' } : undefined;
  // ESC and a character of the second column stand for a C1 control.
  if (isBetween(second, 0x40, 0x5f)) return readC1(source, at, at + 2, second + 0x40, final);
  let end = at + 1;
  while (end < at + 5 && isBetween(source.charCodeAt(end), 0x20, 0x2f)) end += 1;
  if (end >= source.length) return final ? { end, reads: '' } : undefined;
  return { end: isBetween(source.charCodeAt(end), 0x30, 0x7e) ? end + 1 : end, reads: '' };
}

function readC1(source: string, at: number, from: number, control: number, final: boolean): Control | undefined {
  switch (control) {
    case 0x9b:
      return readSequence(source, at, from, final);
    case 0x90:
    case 0x98:
    case 0x9d:
    case 0x9e:
    case 0x9f:
      return readString(source, at, from, final);
    default:
      // IND, NEL, RI and the like begin another line.
      return { end: from, reads: control === 0x84 || control === 0x85 || control === 0x8d ? '\n' : '' };
  }
}

function readSequence(source: string, at: number, from: number, final: boolean): Control | undefined {
  const end = controlEnd(source, from, 'sequence');
  if (end === undefined) {
    if (source.length - at > longestSequence) return { end: source.length, reads: '', oversized: 'open' };
    return final ? { end: source.length, reads: '' } : undefined;
  }
  if (end - at > longestSequence) return { end, reads: '', oversized: 'closed' };
  const last = source.charAt(end - 1);
  return { end, reads: moves.includes(last) ? '\n' : blanks.includes(last) ? ' ' : '' };
}

function readString(source: string, at: number, from: number, final: boolean): Control | undefined {
  const end = controlEnd(source, from, 'string');
  if (end === undefined && source.length - at <= longestString) {
    return final ? { end: source.length, reads: '', content: { start: from, end: source.length } } : undefined;
  }
  if (end === undefined) return { end: source.length, reads: '', oversized: 'open' };
  if (end - at > longestString) return { end, reads: '', oversized: 'closed' };
  const terminator = source.charCodeAt(end - 1) === 0x5c ? 2 : 1;
  return { end, reads: '', content: { start: from, end: Math.max(from, end - terminator) } };
}

/** Where a control that is open at `from` ends, its terminator included; undefined when it is not there yet. */
export function controlEnd(source: string, from: number, kind: ControlKind): number | undefined {
  for (let i = from; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (kind === 'sequence') {
      if (isBetween(code, 0x40, 0x7e)) return i + 1;
      // Anything but parameters and intermediates breaks it off, and is read for itself.
      if (!isBetween(code, 0x20, 0x3f)) return i;
    } else if (code === 0x07 || code === 0x9c) return i + 1;
    else if (code === 0x18 || code === 0x1a) return i;
    else if (code === 0x1b) {
      if (i + 1 >= source.length) return undefined;
      return source.charCodeAt(i + 1) === 0x5c ? i + 2 : i;
    }
  }
  return undefined;
}
