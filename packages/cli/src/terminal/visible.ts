/**
 * Untrusted text for people. Whatever could steer a terminal, hide or reorder what is read is spelled out as `\u{…}`:
 * control characters, bidirectional and other format characters, everything that is ignored by default or looks like
 * nothing, unusual spaces, private use, unpaired surrogates.
 */
const deceptive = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|[^\S \n\t]/gu;

function spell(sign: string): string {
  return `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`;
}

/** On one line. */
export function visible(text: string): string {
  return text.replace(deceptive, spell);
}

/** Over several lines: line feeds and tabs stay what they are. */
export function visibleLines(text: string): string[] {
  return text.split('\n').map((line) => line.replace(deceptive, (sign) => (sign === '\t' ? sign : spell(sign))));
}

/** JSON whose strings hold nothing of the kind either: the same text for a parser, harmless for a terminal. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(deceptive, (sign) =>
    Array.from({ length: sign.length }, (_, i) => `\\u${sign.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
