/**
 * The kinds of single values sluice.yaml is written with (durations, sizes, addresses, references, names), each once,
 * as a zod type that carries its own wording for people and its own pattern for editors. No section is known here.
 */
import { z } from 'zod';
import { type HostPort, parseHostPort } from './host-port.ts';

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

const durationPattern = '^[0-9]{1,9}(ms|s|m|h|d)$';
const sizePattern = '^[0-9]{1,12}(B|KiB|MiB|GiB)$';
const visible = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u;

function scalar<Out>(
  title: string,
  expected: string,
  pattern: string,
  parse: (text: string) => Out | { readonly error: string },
) {
  const kind = z.string({ error: `must be ${expected}` }).transform((text, context) => {
    const parsed = parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) {
      context.addIssue({ code: 'custom', message: String(parsed.error) });
      return z.NEVER;
    }
    return parsed as Exclude<Out, { readonly error: string }>;
  });
  return kind.meta({ title, pattern });
}

function withUnit(text: string, pattern: string, units: Readonly<Record<string, number>>): number | undefined {
  if (!new RegExp(pattern).test(text)) return undefined;
  const unit = text.replace(/^[0-9]+/, '');
  return Number.parseInt(text, 10) * (units[unit] ?? Number.NaN);
}

/** `250ms`, `30s`, `15m`, `8h`, `7d`, within bounds; milliseconds. */
export function duration(bounds: { readonly min: string; readonly max: string }) {
  const min = withUnit(bounds.min, durationPattern, durationUnits) ?? 0;
  const max = withUnit(bounds.max, durationPattern, durationUnits) ?? 0;
  return scalar('duration', 'a duration with its unit, like 30s or 15m', durationPattern, (text) => {
    const value = withUnit(text, durationPattern, durationUnits);
    if (value === undefined) return { error: 'must be a duration with its unit (ms, s, m, h, d), like 30s or 15m' };
    if (value < min || value > max) return { error: `must be between ${bounds.min} and ${bounds.max}` };
    return value;
  });
}

/** `64KiB`, `1MiB`, within bounds; bytes. */
export function size(bounds: { readonly min: string; readonly max: string }) {
  const min = withUnit(bounds.min, sizePattern, sizeUnits) ?? 0;
  const max = withUnit(bounds.max, sizePattern, sizeUnits) ?? 0;
  return scalar('size', 'a size with its unit, like 64KiB or 1MiB', sizePattern, (text) => {
    const value = withUnit(text, sizePattern, sizeUnits);
    if (value === undefined) return { error: 'must be a size with its unit (B, KiB, MiB, GiB), like 64MiB' };
    if (value < min || value > max) return { error: `must be between ${bounds.min} and ${bounds.max}` };
    return value;
  });
}

function hostPort(zero: boolean) {
  return scalar<HostPort | { readonly error: string }>(
    'host:port',
    'host:port, like 127.0.0.1:5432',
    '^.+:[0-9]{1,5}$',
    (text) => parseHostPort(text, { zero }),
  );
}

/** Where to listen; port 0 takes any free one. */
export const listenAddress = () => hostPort(true);
/** Where to dial. */
export const dialAddress = () => hostPort(false);

/** Where a secret is to be found; the configuration never holds one. */
export type Reference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

export const referencePattern = '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$';

/** Undefined for a text that has neither form: never repeat such a text, it may be the secret itself. */
export function parseReference(text: string): Reference | undefined {
  if (!new RegExp(referencePattern, 'u').test(text) || !visible.test(text)) return undefined;
  return text.startsWith('env:') ? { kind: 'env', name: text.slice(4) } : { kind: 'file', path: text.slice(5) };
}

/** `env:NAME` or `file:path`. */
export function reference() {
  return scalar(
    'secret reference',
    'a reference to a secret: env:NAME or file:path',
    referencePattern,
    (text): Reference | { error: string } =>
      parseReference(text) ?? {
        error: 'must be a reference to a secret, env:NAME or file:path; secrets do not belong into this file',
      },
  );
}

/** Text for people or for a server, without control, format or line characters. */
export function line(max: number) {
  return z
    .string({ error: 'must be a text' })
    .min(1, { error: 'must not be empty' })
    .max(max, { error: `must be at most ${max} characters` })
    .regex(visible, { error: 'must not contain control or invisible characters' });
}

/** Names that appear in policies, resource ids and file names. */
export function name() {
  return z
    .string({ error: 'must be a name' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
      error: 'must be 1 to 63 letters, digits, - or _, starting with a letter or digit',
    })
    .meta({ title: 'name' });
}

/** A path; relative ones start at the directory of the file it is written in. */
export function path() {
  return line(4096).meta({ title: 'path' });
}

/** A whole number within bounds. */
export function count(min: number, max: number) {
  const error = `must be a whole number between ${min} and ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}
