import type { RunContext } from '@sluice/core/domain/run.ts';

const keys: ReadonlyMap<string, keyof RunContext> = new Map([
  ['run', 'run'],
  ['step', 'step'],
  ['tool_call', 'toolCall'],
  ['intent', 'intent'],
  ['traceparent', 'traceparent'],
]);

/** A comment longer than this claims nothing: reading it must never take longer than judging the statement. */
const longestComment = 8_192;
const longestValue = 512;

/**
 * What the client claims about its reasoning in a comment at the end of the statement, in the form of sqlcommenter
 * (`key='url-encoded value'`, separated by commas). Other keys are ignored; values are cut to 512 characters.
 */
export function readRunContext(text: string): RunContext | undefined {
  const end = text.trimEnd();
  if (!end.endsWith('*/') && !end.endsWith('*/;')) return undefined;
  const comment = end.slice(-longestComment);
  const start = comment.lastIndexOf('/*');
  if (start < 0) return undefined;
  const context: { -readonly [K in keyof RunContext]: RunContext[K] } = {};
  // No key is longer than 16 characters; an unbounded one would be tried from every letter of the comment on.
  for (const match of comment.slice(start + 2).matchAll(/([a-z_]{1,16})='((?:[^'\\]|\\.)*)'/g)) {
    const key = keys.get(match[1] ?? '');
    if (key) context[key] = storable(decoded(match[2] ?? '').slice(0, longestValue));
  }
  return Object.keys(context).length > 0 ? context : undefined;
}

function decoded(value: string): string {
  const unescaped = value.replace(/\\(.)/g, '$1');
  try {
    return decodeURIComponent(unescaped);
  } catch {
    return unescaped;
  }
}

/** Text that every store and every encoding takes: no NUL, no half of a character. */
function storable(text: string): string {
  return text.replace(/\0|\p{Cs}/gu, '\ufffd');
}
