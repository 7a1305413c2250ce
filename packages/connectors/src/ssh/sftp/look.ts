import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import type { Session } from '@sluice/core/contract/session.ts';

/** Shortest run of letters, in bytes, that is looked at in what is no text. */
const shortestRun = 12;

const esc = '\u001b';
const sequence = new RegExp(`${esc}(?:\\[[0-?]*[ -/]*[@-~]|.)?`, 'gs');

export interface Looked {
  /** Something in it would have to be masked. */
  readonly hidden: boolean;
  /** All labels that were found. */
  readonly labels: readonly string[];
}

/**
 * Looks for what must not be shown in a piece of a file. Text is looked at as it is; of anything else only the runs of
 * letters in it, as in compressed data nearly everything that is short will be found by chance. What a target packed or
 * encrypted nobody can look into: this keeps from accidents, not from who may run programs there.
 */
export function look(session: Session, bytes: Buffer): Looked {
  if (!isText(bytes)) {
    const [whole, narrow] = [runsIn(bytes), narrowed(bytes)];
    return scan(session, narrow ? `${whole}\n${runsIn(narrow)}` : whole);
  }
  const text = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
  const first = scan(session, text);
  if (first.hidden || !bytes.includes(0x1b)) return first;
  // On a terminal these would hide what is behind them; in a file they stand between letters.
  const again = [text.replace(sequence, ''), text.replaceAll(esc, ' ')].map((each) => scan(session, each));
  return {
    hidden: again.some(({ hidden }) => hidden),
    labels: [...new Set([first, ...again].flatMap(({ labels }) => labels))].sort(),
  };
}

function scan(session: Session, text: string): Looked {
  if (text === '') return { hidden: false, labels: [] };
  const { masked, labels } = session.texts.text(text);
  return { hidden: masked, labels };
}

/** By byte: whether it is a control that only stands in binary files (ESC stands in logs, too), in ASCII. */
const binary = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte < 0x20 && !(byte >= 9 && byte <= 13) && byte !== 0x1b) || byte === 0x7f ? 1 : 0,
);

/** UTF-8 without what only stands in binary files; a character may be cut at either end. */
function isText(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) if (binary[bytes[at] as number] === 1) return false;
  if (isAscii(bytes)) return true;
  for (let start = 0; start < 4; start++) {
    for (let end = 0; end < 4; end++) {
      const whole = bytes.subarray(start, bytes.length - end);
      if (isUtf8(whole)) return !hasWideControl(whole);
      if ((bytes[bytes.length - 1 - end] ?? 0) < 0x80) break;
    }
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return false;
  }
  return false;
}

/** U+0080 to U+009F, which are C2 and a byte behind it. */
function hasWideControl(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0xc2); at >= 0; at = bytes.indexOf(0xc2, at + 1)) {
    if ((bytes[at + 1] ?? 0) < 0xa0) return true;
  }
  return false;
}

/** UTF-16 has a zero beside each letter. Undefined where there are too few of them. */
function narrowed(bytes: Buffer): Buffer | undefined {
  let zeros = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0) zeros++;
  const letters = bytes.length - zeros;
  if (letters * 3 >= bytes.length * 2) return undefined;
  const narrow = Buffer.allocUnsafe(letters);
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte !== 0) narrow[to++] = byte;
  }
  return narrow;
}

/** By byte: whether it is one of a run: tab, line breaks, and what is seen of ASCII. */
const seen = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 9 || byte === 10 || byte === 13 || (byte >= 0x20 && byte <= 0x7e) ? 1 : 0,
);

/** One on each line. */
function runsIn(bytes: Buffer): string {
  const runs: string[] = [];
  let from = 0;
  // A run of this length that begins at `from` or behind it has the byte that is looked at, or begins behind that.
  for (let at = shortestRun - 1; at < bytes.length; at = from + shortestRun - 1) {
    if (seen[bytes[at] as number] === 0) {
      from = at + 1;
      continue;
    }
    let start = at;
    while (start > from && seen[bytes[start - 1] as number] === 1) start--;
    let end = at + 1;
    while (end < bytes.length && seen[bytes[end] as number] === 1) end++;
    if (end - start >= shortestRun) runs.push(bytes.toString('latin1', start, end));
    from = end + 1;
  }
  return runs.join('\n');
}
