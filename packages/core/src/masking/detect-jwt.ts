import { type Detector, isBase64Url } from './detector.ts';

/** A header is a small JSON object; what is longer before its dot is some other base64. */
const longestHeader = 1024;

/** How much of a token is looked at, which is also what tells it from another where it is hashed. */
const longestToken = 2048;

const isPart = (code: number): boolean => isBase64Url(code) || code === 46;

/** Signed (RFC 7515, three parts) and encrypted (RFC 7516, five parts) tokens in compact form. */
export const jwt: Detector = {
  label: 'secret.jwt',
  first: 'e',
  where: 'start',
  read(page, at) {
    // `{"` in base64url.
    for (let i = 0; i < 3; i++) {
      if (page.unknown(at + i)) return 'weak';
      if (page.text[at + i] !== 'eyJ'[i]) return undefined;
    }
    const header = page.runEnd(at, at + longestHeader, isBase64Url);
    if (page.unknown(header)) return header - at >= 8 ? 'strong' : 'weak';
    if (page.text[header] !== '.' || header - at < 10) return undefined;
    const end = page.runEnd(header, at + longestToken, isPart);
    if (page.unknown(end)) return 'strong';
    const [, second = '', third] = page.text.slice(at, end).split('.');
    if (third === undefined || second.length + third.length < 16) return undefined;
    return end === at + longestToken ? { start: at, end, tail: isPart } : { start: at, end };
  },
};
