import { growthOf, type MaskCell, type Masking } from './cell-codec.ts';
import { type CopyFormat, type CopyOptions, declined, newline, readsPlain, singleByte } from './copy-format.ts';

const backslash = 0x5c;

/** "Backslash sequences": letter after the backslash to the byte it stands for. */
const letters = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
]);
const lettersBack = new Map([...letters].map(([letter, byte]) => [byte, letter]));

/** COPY's text format ("File Formats", "Text Format"): one line per row, backslash before what would end a field. */
export function textFormat(plan: readonly (Masking | undefined)[], options: CopyOptions): CopyFormat {
  const delimiter = singleByte('delimiter', options.delimiter);
  const nullText = Buffer.from(options.nullText, 'utf8');
  // Where a value can read like the null text, a field that does may be a value, and must not be told from others.
  const nullIsValue = escapeText(unescapeText(nullText), delimiter).equals(nullText);
  const usual = readsPlain(options.delimiter) && delimiter !== backslash && delimiter !== newline;
  const growth = growthOf(plan);
  let header = options.header;
  let scanned = 0;

  const maskField = (field: Buffer, mask: MaskCell | undefined): Buffer => {
    if (mask === undefined || (!nullIsValue && field.equals(nullText))) return field;
    const masked = mask(unescapeText(field));
    return masked === null ? nullText : escapeText(masked, delimiter);
  };

  return {
    get scanned() {
      return scanned;
    },
    scan(bytes, from) {
      // A newline inside a value is always written as an escape.
      const at = bytes.indexOf(newline, from);
      scanned = at < 0 ? bytes.length : 0;
      return at + 1 || -1;
    },
    mask(line) {
      if (header) {
        header = false;
        return line;
      }
      const parts: Buffer[] = [];
      let start = 0;
      let field = 0;
      for (let at = 0; at < line.length; at++) {
        const byte = line[at];
        if (byte === backslash && at + 2 < line.length) at++;
        else if (byte === delimiter || at === line.length - 1) {
          if (field >= plan.length) throw new RangeError('a COPY row with more fields than columns');
          parts.push(maskField(line.subarray(start, at), plan[field]?.mask), line.subarray(at, at + 1));
          start = at + 1;
          field++;
        }
      }
      if (field !== plan.length) throw new RangeError('a COPY row with fewer fields than columns');
      return Buffer.concat(parts);
    },
    row(bytes, start, end, to) {
      if (header || !usual) return false;
      const begun = to.length;
      let into = to.reserve(end - start + growth);
      let out = begun;
      let at = start;
      for (let field = 0; field < plan.length; field++) {
        const masking = plan[field];
        const from = at;
        let escaped = false;
        for (; at < end; at++) {
          let byte = bytes[at] as number;
          if (byte === delimiter || byte === newline) break;
          if (byte === backslash) {
            escaped = true;
            if (masking === undefined) into[out++] = byte;
            byte = bytes[++at] as number;
            if (at >= end - 1 || byte === newline) return declined(to, begun);
          }
          if (masking === undefined) into[out++] = byte;
        }
        const ending = at === end ? -1 : (bytes[at] as number);
        if (field < plan.length - 1 ? ending !== delimiter : ending !== newline || at !== end - 1) {
          return declined(to, begun);
        }
        if (masking !== undefined) {
          const { plain } = masking;
          const short = !escaped && plain !== undefined && at - from !== nullText.length;
          const masked = short ? plain.write(bytes, from, at, into, out) : -1;
          if (masked < 0) {
            to.wrote(out);
            to.bytes(maskField(bytes.subarray(from, at), masking.mask));
            into = to.reserve(end - at + growth);
            out = to.length;
          } else out = masked;
        }
        into[out++] = ending;
        at++;
      }
      to.wrote(out);
      return plan.length > 0;
    },
    end() {},
  };
}

function unescapeText(field: Buffer): Buffer {
  if (!field.includes(backslash)) return field;
  const bytes = Buffer.allocUnsafe(field.length);
  let length = 0;
  for (let at = 0; at < field.length; at++) {
    const byte = field[at] ?? 0;
    const next = field[at + 1];
    if (byte !== backslash || next === undefined) {
      length = bytes.writeUInt8(byte, length);
      continue;
    }
    // The server reads octal and hex escapes but never writes them.
    const code = /^(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2}))/.exec(field.toString('latin1', at + 1, at + 4));
    if (code) {
      const [all, octal, hex = ''] = code;
      length = bytes.writeUInt8((octal ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16)) & 0xff, length);
      at += all.length;
    } else {
      length = bytes.writeUInt8(letters.get(next) ?? next, length);
      at++;
    }
  }
  return bytes.subarray(0, length);
}

function escapeText(value: Buffer, delimiter: number): Buffer {
  const bytes: number[] = [];
  for (const byte of value) {
    const letter = lettersBack.get(byte);
    if (letter !== undefined && byte !== delimiter) bytes.push(backslash, letter);
    else if (byte === backslash || byte === delimiter) bytes.push(backslash, byte);
    else bytes.push(byte);
  }
  return Buffer.from(bytes);
}
