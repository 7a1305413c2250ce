import type { RunContext } from '@sluice/core/domain/run.ts';

const keys: Readonly<Record<string, keyof RunContext>> = {
  run: 'run',
  step: 'step',
  tool_call: 'toolCall',
  intent: 'intent',
  traceparent: 'traceparent',
};

/**
 * What the client claims about its reasoning in a comment at the end of the statement, in the form of sqlcommenter
 * (`key='url-encoded value'`, separated by commas). Other keys are ignored; values are cut to 512 characters.
 */
export function readRunContext(text: string): RunContext | undefined {
  const end = text.trimEnd();
  if (!end.endsWith('*/') && !end.endsWith('*/;')) return undefined;
  const start = end.lastIndexOf('/*');
  if (start < 0) return undefined;
  const context: { -readonly [K in keyof RunContext]: RunContext[K] } = {};
  for (const match of end.slice(start + 2).matchAll(/([a-z_]+)='((?:[^'\\]|\\.)*)'/g)) {
    const key = keys[match[1] ?? ''];
    if (key) context[key] = decoded(match[2] ?? '').slice(0, 512);
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
