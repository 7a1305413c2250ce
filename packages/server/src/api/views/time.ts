/**
 * Domain objects in the form the API shows them: other names, times as text, and only what the schemas declare. Views
 * hide nothing from anyone in particular: who may see an object at all was asked before.
 */

/** Unix milliseconds as the API writes them. */
export function time(ms: number): string {
  return new Date(clamp(ms)).toISOString();
}

/** Beyond what a date can hold (ECMAScript "Time Values and Time Range"), or what RFC 3339 can write: the last such moment. */
function clamp(ms: number): number {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), last) : last;
}
