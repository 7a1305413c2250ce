// Shape checks for the JSON bodies of events: a crafted recording must not reach a player with a number for a text.

export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';
/** A whole number from 0 up. */
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);

export function oneOf(...values: readonly string[]): Check {
  return (value) => typeof value === 'string' && values.includes(value);
}

export function list(item: Check): Check {
  return (value) => Array.isArray(value) && value.every(item);
}

export function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

export function either(...checks: readonly Check[]): Check {
  return (value) => checks.some((check) => check(value));
}

export function record(item: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(item);
}

/** Fields whose name ends in `?` may be absent. Fields that are not named may be anything: later versions add some. */
export function shape(fields: Readonly<Record<string, Check>>): Check {
  const parts = Object.entries(fields).map(([name, check]) => ({
    name: name.endsWith('?') ? name.slice(0, -1) : name,
    optional: name.endsWith('?'),
    check,
  }));
  return (value) =>
    isObject(value) &&
    parts.every(({ name, optional, check }) =>
      Object.hasOwn(value, name) ? check((value as Record<string, unknown>)[name]) : optional,
    );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether JSON text nests deeper than `limit`; looked at before it is parsed, because nesting is paid for in stack. */
export function nestsDeeper(json: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}
