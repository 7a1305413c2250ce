import type { Annotations } from '@cedar-policy/cedar-wasm/nodejs';
import type { WaitMode } from '@sluice/core/domain/decision.ts';
import { type PolicyError, policyError } from './error.ts';
import { nearest } from './nearest.ts';
import type { Piece } from './source/pieces.ts';

/** Who must consent before what the policy speaks of may run. Durations in milliseconds. */
export interface ApprovalTerms {
  /** A group's name, or `owner` for the agent's own owner. */
  readonly group: string;
  readonly quorum: number;
  readonly grantTtl: number;
  readonly timeout: number;
  readonly wait: WaitMode;
}

/** What a policy's annotations say. */
export interface PolicyTerms {
  readonly id: string;
  readonly status: 'enforce' | 'dry_run';
  readonly reason: string | undefined;
  /** What to do instead of what is forbidden. */
  readonly hint: string | undefined;
  readonly approval: ApprovalTerms | undefined;
  readonly limitRows: number | undefined;
  readonly readOnly: boolean;
  readonly notify: string | undefined;
}

/** Terms of a hold where the policy says nothing; milliseconds. */
export interface HoldDefaults {
  readonly grantTtl: number;
  readonly timeout: number;
  readonly wait: WaitMode;
}

export const holdDefaults: HoldDefaults = { grantTtl: 10 * 60_000, timeout: 60 * 60_000, wait: 'both' };

export const annotationNames = [
  'id',
  'reason',
  'hint',
  'status',
  'approval',
  'quorum',
  'grant_ttl',
  'timeout',
  'wait',
  'limit_rows',
  'read_only',
  'notify',
] as const;
type Name = (typeof annotationNames)[number];

const needApproval: readonly Name[] = ['quorum', 'grant_ttl', 'timeout', 'wait'];
const needPermit: readonly Name[] = ['limit_rows', 'read_only'];

/** Ids appear in logs, in errors on the wire and in file names of tools: they are kept to one plain form. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;

export function readAnnotations(
  piece: Piece,
  effect: 'permit' | 'forbid',
  annotations: Annotations,
  defaults: HoldDefaults,
): { terms: PolicyTerms | undefined; errors: PolicyError[] } {
  const reader = new Reader(piece, annotations);
  reader.refuseUnknown();
  const id = reader.read('id', idOf);
  if (id === undefined && !reader.has('id')) {
    reader.fail(undefined, 'the policy has no @id', 'Give it one that is unique, e.g. @id("agents-read-orders").');
  }
  const approval = reader.read('approval', nameOf);
  for (const name of needApproval) {
    if (reader.has(name) && !reader.has('approval')) {
      reader.fail(name, `@${name} means nothing without @approval`, 'Add @approval("<group>"), or take it away.');
    }
  }
  for (const name of needPermit) {
    if (reader.has(name) && effect === 'forbid') {
      reader.fail(name, `@${name} belongs on a permit: what is forbidden has no answer to limit`);
    }
  }
  if (reader.has('notify') && effect === 'forbid' && !reader.has('approval')) {
    reader.fail('notify', '@notify is carried out with an allowed action, and this policy never allows one');
  }
  if (reader.has('hint') && effect === 'permit') {
    reader.fail('hint', '@hint belongs on a forbid: what is permitted needs no other way');
  }
  const quorum = reader.read('quorum', (value) => wholeNumber(value, 20)) ?? 1;
  if (approval === 'owner' && quorum > 1) {
    reader.fail('quorum', 'an agent has one owner, so @approval("owner") can have no quorum above 1');
  }
  const grantTtl = reader.read('grant_ttl', duration) ?? defaults.grantTtl;
  const timeout = reader.read('timeout', duration) ?? defaults.timeout;
  const wait = reader.read('wait', (value) => oneOf<WaitMode>(value, ['park', 'resend', 'both'])) ?? defaults.wait;
  const terms: PolicyTerms = {
    id: id ?? '',
    status: reader.read('status', (value) => oneOf<PolicyTerms['status']>(value, ['enforce', 'dry_run'])) ?? 'enforce',
    reason: reader.read('reason', sentence),
    hint: reader.read('hint', sentence),
    approval: approval === undefined ? undefined : { group: approval, quorum, grantTtl, timeout, wait },
    limitRows: reader.read('limit_rows', (value) => wholeNumber(value, 2_147_483_647)),
    readOnly: reader.read('read_only', flag) ?? false,
    notify: reader.read('notify', nameOf),
  };
  return reader.errors.length > 0 ? { terms: undefined, errors: reader.errors } : { terms, errors: [] };
}

/** A parsed value, or what a right one looks like. */
type Parsed<T> = { readonly value: T } | { readonly expected: string };

class Reader {
  readonly errors: PolicyError[] = [];
  readonly #piece: Piece;
  readonly #annotations: Annotations;

  constructor(piece: Piece, annotations: Annotations) {
    this.#piece = piece;
    this.#annotations = annotations;
  }

  has(name: Name): boolean {
    return Object.hasOwn(this.#annotations, name);
  }

  read<T>(name: Name, parse: (value: string) => Parsed<T>): T | undefined {
    if (!this.has(name)) return undefined;
    // Cedar gives null for an annotation without a value, whatever its type says.
    const value: string | null | undefined = this.#annotations[name];
    const parsed = parse(value ?? '');
    if ('value' in parsed) return parsed.value;
    this.fail(name, `@${name}(${JSON.stringify(value ?? '')}) is not understood`, `Write ${parsed.expected}.`);
    return undefined;
  }

  refuseUnknown(): void {
    for (const name of Object.keys(this.#annotations)) {
      if (annotationNames.some((candidate) => candidate === name)) continue;
      const meant = nearest(name, annotationNames);
      const hint = meant
        ? `Did you mean @${meant}?`
        : `Known are: ${annotationNames.map((each) => `@${each}`).join(', ')}.`;
      this.fail(name, `unknown annotation @${name}`, hint);
    }
  }

  fail(name: string | undefined, message: string, hint = ''): void {
    this.errors.push(policyError(this.#piece.path, this.#piece.place(this.#offsetOf(name)), message, hint));
  }

  #offsetOf(name: string | undefined): number {
    const { tokens } = this.#piece;
    const at = tokens.findIndex((token, index) => token.text === '@' && tokens[index + 1]?.text === name);
    return tokens[at]?.start ?? 0;
  }
}

function idOf(value: string): Parsed<string> {
  if (value.startsWith('sluice:')) return { expected: 'another id: those with sluice: belong to the gateway itself' };
  return idForm.test(value) ? { value } : { expected: 'letters, digits and . _ : / - only, at most 128 of them' };
}

function nameOf(value: string): Parsed<string> {
  const fine = value.length <= 256 && value.trim() === value && value !== '' && !/\p{C}/u.test(value);
  return fine ? { value } : { expected: 'a name, without blanks around it' };
}

function sentence(value: string): Parsed<string> {
  const fine = value.trim() !== '' && value.length <= 1000 && !/[\p{Cc}\p{Cf}]/u.test(value);
  return fine ? { value } : { expected: 'one line of text for people, at most 1000 characters' };
}

function flag(value: string): Parsed<boolean> {
  return value === '' ? { value: true } : { expected: '@read_only alone' };
}

function wholeNumber(value: string, max: number): Parsed<number> {
  const number = /^[1-9]\d{0,9}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= max ? { value: number } : { expected: `a whole number from 1 to ${max}` };
}

function oneOf<T extends string>(value: string, choices: readonly T[]): Parsed<T> {
  const choice = choices.find((each) => each === value);
  return choice === undefined ? { expected: choices.map((each) => `"${each}"`).join(' or ') } : { value: choice };
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Timers of the platform overflow beyond 24 days and then fire at once; a week is longer than anybody should wait. */
const longest = 7 * 86_400_000;

function duration(value: string): Parsed<number> {
  const match = /^(\d{1,9})([smhd])$/.exec(value);
  const ms = match ? Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0) : 0;
  return ms > 0 && ms <= longest
    ? { value: ms }
    : { expected: 'a duration such as "90s", "10m" or "2h", at most "7d"' };
}
