/** From a statement's text to the unit that policy judges. */
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { FreshCatalog } from '../fresh-catalog.ts';
import type { MeaningCache } from '../meaning/cache.ts';
import { MeaningError } from '../meaning/error.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import { readRunContext } from './run-context.ts';
import type { SessionState } from './state.ts';

/** Where a text gets its meaning from. */
export interface Grounds {
  readonly state: SessionState;
  readonly catalog: FreshCatalog;
  readonly labels: LabelMap;
  readonly meanings: MeaningCache;
}

/**
 * What the text means now. Where the catalog is too old, or does not know what the text names, the server is asked first.
 * Throws, or rejects with, MeaningError.
 */
export function understand(
  grounds: Grounds,
  text: string,
): readonly StatementMeaning[] | Promise<readonly StatementMeaning[]> {
  const fresh = grounds.catalog.freshen();
  if (fresh) return fresh.then(() => understandFresh(grounds, text), refuseUnread);
  return understandFresh(grounds, text);
}

function understandFresh(
  grounds: Grounds,
  text: string,
): readonly StatementMeaning[] | Promise<readonly StatementMeaning[]> {
  try {
    return understandNow(grounds, text);
  } catch (error) {
    if (error instanceof MeaningError && error.stale)
      return grounds.catalog.refresh().then(() => understandNow(grounds, text));
    throw error;
  }
}

function refuseUnread(cause: unknown): never {
  if (cause instanceof MeaningError) throw cause;
  throw new MeaningError(
    'catalog_unavailable',
    "the gateway cannot read the target's catalog, so nothing can be judged",
    {
      hint: 'Try again; if it persists, tell the operator of the gateway.',
      cause,
    },
  );
}

function understandNow(grounds: Grounds, text: string): readonly StatementMeaning[] {
  const begun = performance.now();
  const meanings = grounds.meanings.interpret(text, grounds.state.context(grounds.catalog.current(), grounds.labels));
  grounds.state.parsing = (performance.now() - begun) * 1_000;
  return meanings;
}

export interface UnitParts {
  readonly name: string;
  readonly frame: Buffer;
  readonly text: string;
  readonly meanings: readonly StatementMeaning[];
  readonly parameters: readonly (string | null)[];
  /** Binds an approval to the parameters to the byte, however they read; absent without parameters. */
  readonly exactly?: () => string | undefined;
  /** Told what the text means now whenever an approval made it be understood anew. */
  readonly renewed?: (unit: Unit, meanings: readonly StatementMeaning[]) => void;
}

export function unitOf(grounds: Grounds, parts: UnitParts): Unit {
  const { name, frame, text, meanings, parameters, exactly } = parts;
  const { actions, labels, exposures, binding, run } = meantBy(grounds.state, text, meanings);
  const unit = {
    name,
    bytes: [frame],
    actions,
    labels,
    exposures,
    parameters,
    parsing: grounds.state.parsing,
    binding,
    moreBinding: () => exactBinding(meanings, exactly?.()),
    renew: () => renew(grounds, parts),
  };
  return run ? { ...unit, run } : unit;
}

async function renew(grounds: Grounds, parts: UnitParts): Promise<Unit> {
  await grounds.catalog.refresh();
  const now = understandNow(grounds, parts.text);
  const unit = unitOf(grounds, { ...parts, meanings: now });
  parts.renewed?.(unit, now);
  return unit;
}

function exactBinding(
  meanings: readonly StatementMeaning[],
  parameters: string | undefined,
): Readonly<Record<string, string>> {
  return {
    statements: meanings.map((meaning) => meaning.fingerprint()).join(','),
    schema: meanings.map((meaning) => meaning.schemaDigest).join(','),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

interface Meant extends Pick<Unit, 'actions' | 'labels' | 'exposures' | 'binding'> {
  readonly run: RunContext | undefined;
  /** Of the session, when this was put together. */
  readonly of: SessionState['binding'];
}

/** A text that is met again has the meanings that were kept of it; what follows from them is put together once. */
const known = new WeakMap<readonly StatementMeaning[], Meant>();

function meantBy(state: SessionState, text: string, meanings: readonly StatementMeaning[]): Meant {
  const kept = known.get(meanings);
  if (kept?.of === state.binding) return kept;
  const only = meanings.length === 1 ? meanings[0] : undefined;
  const meant: Meant = {
    actions: only ? only.actions : meanings.flatMap((meaning) => meaning.actions),
    labels: only ? only.labels : [...new Set(meanings.flatMap((meaning) => meaning.labels))].sort(),
    exposures: only ? only.exposures : meanings.flatMap((meaning) => meaning.exposures),
    binding: state.binding,
    run: readRunContext(text),
    of: state.binding,
  };
  known.set(meanings, meant);
  return meant;
}
