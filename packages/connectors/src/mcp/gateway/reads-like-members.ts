/**
 * Whether text that could not be read as JSON reads like members of a document all the same: one that breaks off, at its
 * end or at its beginning, or that only some reader would take. Nobody knows which values stand under a label in it.
 */
export function readsLikeMembers(text: string): boolean {
  if (quoted.test(text)) return true;
  const opening = text.indexOf('{');
  const closing = text.indexOf('}');
  const from = closing >= 0 && (opening < 0 || closing < opening) ? 0 : opening;
  return from >= 0 && member.test(text.slice(from));
}

const member = /(?<![\p{L}\p{N}_-])[\p{L}_$][\p{L}\p{N}_$-]{0,63}\\{0,8}["']?\s{0,8}:\s{0,8}\\{0,8}["'[{\d.-]/u;
/** With its name in double quotes it needs no brace to be seen: nothing else is written so. */
const quoted = /"[^"\n]{1,128}"\s{0,8}:\s{0,8}\\{0,8}["'[{\d.-]/;
