import type { Session } from '@sluice/core/contract/session.ts';

/** Shortest run of letters, in bytes, that is looked at in what is no text. */
const shortestRun = 12;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
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
  const text = isText(bytes);
  const first = scan(session, text ? bytes : Buffer.concat([runsIn(bytes), runsIn(narrowed(bytes))]));
  if (first.hidden || !text || !bytes.includes(esc)) return first;
  // On a terminal these would hide what is behind them; in a file they stand between letters.
  const plain = bytes.toString();
  const again = [plain.replace(sequence, ''), plain.replaceAll(esc, ' ')].map((each) =>
    scan(session, Buffer.from(each)),
  );
  return {
    hidden: again.some(({ hidden }) => hidden),
    labels: [...new Set([first, ...again].flatMap(({ labels }) => labels))].sort(),
  };
}

function scan(session: Session, bytes: Uint8Array): Looked {
  if (bytes.length === 0) return { hidden: false, labels: [] };
  const stream = session.texts.stream();
  stream.push(bytes);
  stream.end();
  return { hidden: stream.masked, labels: stream.labels };
}

/** UTF-8 without what only stands in binary files; a character may be cut at either end. */
function isText(bytes: Buffer): boolean {
  for (let start = 0; start < 4; start++) {
    for (let end = 0; end < 4; end++) {
      try {
        return !/[^\P{Cc}\s]/u.test(strictUtf8.decode(bytes.subarray(start, bytes.length - end)).replaceAll(esc, ''));
      } catch {
        // Not with these ends; with others perhaps.
      }
      if ((bytes[bytes.length - 1 - end] ?? 0) < 0x80) break;
    }
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return false;
  }
  return false;
}

/** UTF-16 has a zero beside each letter. Empty where there are too few of them. */
function narrowed(bytes: Buffer): Buffer {
  const letters = bytes.filter((byte) => byte !== 0);
  return letters.length * 3 < bytes.length * 2 ? Buffer.from(letters) : Buffer.alloc(0);
}

function runsIn(bytes: Buffer): Buffer {
  const runs = bytes.toString('latin1').match(/[\t\n\r -~]+/g) ?? [];
  return Buffer.from(runs.filter((run) => run.length >= shortestRun).join('\n'), 'latin1');
}
