import { mod97 } from './checksum.ts';
import { type Detector, isAlphanumeric, isDigit, lowerCase, upperCase } from './detector.ts';

/** Characters of an IBAN by country: the registry of ISO 13616, kept by SWIFT. */
const registered =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
  'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
  'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
  'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30';
const lengths: ReadonlyMap<string, number> = new Map(
  registered.split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
/** What IBANs begin with: two upper-case letters. */
export const ibanCountries: readonly string[] = [...lengths.keys()];
const countries: ReadonlySet<string> = new Set([...lengths.keys()].map((country) => country.charAt(0)));

/** From so many characters on, an unfinished IBAN is not shown. */
const telling = 8;

const isSeparator = (code: number): boolean => code === 32 || code === 45;

export const iban: Detector = {
  label: 'pii.iban',
  first: [...upperCase, ...lowerCase].filter((letter) => countries.has(letter.toUpperCase())).join(''),
  where: 'start',
  read(page, at) {
    let text = '';
    let place = at;
    let length = 4;
    while (text.length < length) {
      if (page.unknown(place)) return text.length >= telling ? 'strong' : 'weak';
      const code = page.code(place);
      // People write groups of four, but separators anywhere are as good to read.
      if (text.length >= 4 && isSeparator(code) && !isSeparator(page.code(place - 1))) place += 1;
      else if (!isAlphanumeric(code) || ((text.length === 2 || text.length === 3) && !isDigit(code))) return undefined;
      else {
        text += page.text.charAt(place).toUpperCase();
        place += 1;
        if (text.length === 2) {
          const known = lengths.get(text);
          if (known === undefined) return undefined;
          length = known;
        }
      }
    }
    if (page.unknown(place)) return 'strong';
    return !isAlphanumeric(page.code(place)) && mod97(text) ? { start: at, end: place } : undefined;
  },
};
