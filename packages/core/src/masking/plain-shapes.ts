/**
 * E-mail addresses and phone numbers as almost all of them are written: in ASCII, without anything odd. One look at each
 * character, because these run over every masked cell; `undefined` says that the careful way has to be taken, and
 * nothing about the value.
 */

const quote = 34;
const at = 64;
const dot = 46;

/** Where the local part ends and where the top-level domain begins. */
export function plainEmail(value: string): { readonly local: number; readonly topLevel: number } | undefined {
  const { length } = value;
  let local = -1;
  let lastDot = -1;
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    if (code <= 32 || code >= 127 || code === quote) return undefined;
    if (code === at) {
      if (local >= 0) return undefined;
      local = index;
    } else if (local >= 0 && (code === 91 || code === 93)) {
      return undefined;
    } else if (code === dot) {
      lastDot = index;
    }
  }
  const topLevel = lastDot + 1;
  const domain = lastDot - local - 1;
  const letters = length - topLevel;
  if (local < 1 || local > 64 || domain < 1 || domain > 255 || letters < 2 || letters > 12) return undefined;
  for (let index = topLevel; index < length; index++) {
    const lower = value.charCodeAt(index) | 32;
    if (lower < 97 || lower > 122) return undefined;
  }
  return { local, topLevel };
}

/** The last two digits of a number of 7 to 18 digits. */
export function plainPhone(value: string): string | undefined {
  const { length } = value;
  let digits = 0;
  let last = 0;
  let beforeLast = 0;
  const start = value.charCodeAt(0) === 43 ? 1 : 0;
  if (length - start < 7 || length - start > 40) return undefined;
  for (let index = start; index < length; index++) {
    const code = value.charCodeAt(index);
    if (code >= 48 && code <= 57) {
      digits++;
      beforeLast = last;
      last = code;
    } else if (code !== 32 && code !== 40 && code !== 41 && code !== dot && code !== 45 && code !== 47) {
      return undefined;
    }
  }
  return digits < 7 || digits > 18 ? undefined : String.fromCharCode(beforeLast, last);
}
