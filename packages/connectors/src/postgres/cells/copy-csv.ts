import { growthOf, type MaskCell, type Masking } from './cell-codec.ts';
import { type CopyFormat, type CopyOptions, declined, newline, readsPlain, singleByte } from './copy-format.ts';

/** COPY's CSV ("File Formats", "CSV Format"): a line per row, where quoted fields may hold line ends. */
export function csvFormat(plan: readonly (Masking | undefined)[], options: CopyOptions): CopyFormat {
  const delimiter = singleByte('delimiter', options.delimiter);
  const quote = singleByte('quote', options.quote);
  const escaper = singleByte('escape', options.escape);
  const nullText = Buffer.from(options.nullText, 'utf8');
  const distinct = new Set([delimiter, quote, escaper, newline]).size === (quote === escaper ? 3 : 4);
  const usual = readsPlain(options.delimiter, options.quote, options.escape, options.nullText) && distinct;
  const growth = growthOf(plan);
  let header = options.header;
  let scanned = 0;
  let inQuotes = false;
  let escaping = false;

  /** Goes over one byte; tells whether it stands outside quotes. With one character for both, a doubled quote leaves and re-enters. */
  const step = (byte: number | undefined): boolean => {
    if (escaping) {
      escaping = false;
      if (byte === quote || byte === escaper) return false;
    }
    if (inQuotes && byte === escaper && escaper !== quote) escaping = true;
    else if (byte === quote) inQuotes = !inQuotes;
    else return !inQuotes;
    return false;
  };

  const maskField = (field: Buffer, mask: MaskCell | undefined): Buffer => {
    // The server quotes a value that reads like the null text, and never a null.
    if (mask === undefined || field.equals(nullText)) return field;
    const masked = mask(unquote(field, quote, escaper));
    if (masked === null) return nullText;
    const quoted = field[0] === quote || masked.equals(nullText);
    return quoted || needsQuotes(masked, delimiter, quote) ? enquote(masked, quote, escaper) : masked;
  };

  return {
    get scanned() {
      return scanned;
    },
    scan(bytes, from) {
      for (let at = from; at < bytes.length; at++) {
        if (step(bytes[at]) && bytes[at] === newline) {
          scanned = 0;
          return at + 1;
        }
      }
      scanned = bytes.length;
      return -1;
    },
    mask(line) {
      if (header) {
        header = false;
        return line;
      }
      const parts: Buffer[] = [];
      let start = 0;
      let field = 0;
      // Every line ends outside quotes, so the state is fresh; the last byte is the newline.
      for (let at = 0; at < line.length; at++) {
        if (!step(line[at]) || (line[at] !== delimiter && at !== line.length - 1)) continue;
        if (field >= plan.length) throw new RangeError('a COPY row with more fields than columns');
        parts.push(maskField(line.subarray(start, at), plan[field]?.mask), line.subarray(at, at + 1));
        start = at + 1;
        field++;
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
        let quotes = 0;
        for (; at < end; at++) {
          const byte = bytes[at] as number;
          if (byte === quote) quotes++;
          else if (byte === escaper) return declined(to, begun);
          else if ((byte === delimiter || byte === newline) && (quotes & 1) === 0) break;
          if (masking === undefined) into[out++] = byte;
        }
        // Where quotes are escaped by another character, it is not enough to count them.
        if (quotes > 0 && quote !== escaper) return declined(to, begun);
        const ending = at === end ? -1 : (bytes[at] as number);
        if (field < plan.length - 1 ? ending !== delimiter : ending !== newline || at !== end - 1) {
          return declined(to, begun);
        }
        if (masking !== undefined) {
          const { plain } = masking;
          const short = quotes === 0 && plain !== undefined && at - from !== nullText.length;
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

function unquote(field: Buffer, quote: number, escaper: number): Buffer {
  if (!field.includes(quote)) return field;
  const bytes = Buffer.allocUnsafe(field.length);
  let length = 0;
  let inside = false;
  for (let at = 0; at < field.length; at++) {
    const byte = field[at] ?? 0;
    const next = field[at + 1];
    if (inside && byte === escaper && (next === quote || next === escaper)) {
      length = bytes.writeUInt8(next, length);
      at++;
    } else if (byte === quote) inside = !inside;
    else length = bytes.writeUInt8(byte, length);
  }
  return bytes.subarray(0, length);
}

function enquote(value: Buffer, quote: number, escaper: number): Buffer {
  const bytes = [quote];
  for (const byte of value) {
    if (byte === quote || byte === escaper) bytes.push(escaper);
    bytes.push(byte);
  }
  bytes.push(quote);
  return Buffer.from(bytes);
}

function needsQuotes(value: Buffer, delimiter: number, quote: number): boolean {
  return value.some((byte) => byte === delimiter || byte === quote || byte === newline || byte === 0x0d);
}
