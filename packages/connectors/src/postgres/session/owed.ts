/** What is owed to the client, in order: one entry per message sent to the server, or answered here instead. */
import type { Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import type { Column } from '../protocol/backend.ts';
import type { BindMessage } from '../protocol/frontend.ts';
import type { Problem } from '../protocol/messages.ts';
import { changesMeaning } from './changes-meaning.ts';
import type { NameChange } from './names.ts';
import { Queue } from './queue.ts';

/** One statement on its way through the server. */
export interface StatementRun {
  readonly meaning: StatementMeaning;
  readonly unit: number;
  /** Labels to mask; a label that was not asked about is masked, too. */
  readonly masked: ReadonlySet<string>;
  readonly asked: ReadonlySet<string>;
  readonly rowLimit: number | undefined;
  /** Rows the client was given so far; shared by all fetches of a portal. */
  readonly given: { rows: number };
}

export interface Prepared {
  readonly text: string;
  /** Undefined for an empty statement. */
  readonly meaning: StatementMeaning | undefined;
  /** As the client's Parse gave them. */
  readonly declaredTypes: readonly number[];
  /** As the server described them, once it did. */
  parameterTypes: readonly number[];
  /** As the server described the last portal of it, and what that depended on (see `descriptionKey`). */
  described?: { readonly columns: readonly Column[]; readonly key: string };
}

export interface Portal {
  readonly prepared: Prepared;
  /**
   * As the server described it; no columns before, an empty list when it returns no rows; `asked`: its
   * description is on its way. Shared by all its runs.
   */
  readonly result: { columns?: readonly Column[]; asked?: true };
  readonly formats: BindMessage['resultFormats'];
  readonly unit: Unit;
  readonly handle: UnitHandle;
  /** Undefined for an empty statement. */
  readonly run: StatementRun | undefined;
}

/** A portal made by DECLARE: its name can be executed by message, too. */
export interface Cursor {
  readonly cursor: StatementMeaning;
  /** WITH HOLD: it outlives its transaction. */
  readonly hold: boolean;
}

export type Owed =
  | {
      readonly kind: 'query';
      readonly unit: Unit;
      readonly handle: UnitHandle;
      readonly runs: readonly StatementRun[];
      readonly change: NameChange;
      at: number;
      failed: boolean;
    }
  | { readonly kind: 'parse'; readonly change: NameChange }
  | { readonly kind: 'bind'; readonly change: NameChange; readonly run: StatementRun | undefined }
  | { readonly kind: 'describe'; readonly of: Prepared | Portal; readonly hidden: boolean }
  | { readonly kind: 'execute'; readonly portal: Portal }
  | { readonly kind: 'close'; readonly change: NameChange }
  | { readonly kind: 'sync' }
  /** Answered here: an error in the place of a message that was not sent. */
  | ({ readonly kind: 'refused' } & Refused)
  /** A statement of ours that the server is to refuse, so that it aborts the transaction; the client sees `answer`. */
  | ({ readonly kind: 'abort'; failed: boolean } & Refused)
  /** A query of the gateway's own; the client sees none of it. */
  | {
      readonly kind: 'own';
      readonly rows: (string | null)[][];
      error: Error | undefined;
      readonly done: (owed: OwnQuery) => void;
    };

interface Refused {
  readonly answer: Problem;
  readonly ready: boolean;
  /** What the refused message does to names all the same, unless it is skipped. */
  readonly change: NameChange | undefined;
}

export type OwnQuery = Extract<Owed, { kind: 'own' }>;

/**
 * Equal for two portals of one statement whose columns come from the same places. The same text gives other columns
 * once a name means something else; undefined where only the server knows what it gives, as with FETCH and EXECUTE.
 */
export function descriptionKey(meaning: StatementMeaning | undefined): string | undefined {
  if (meaning === undefined || !queries.has(meaning.kind)) return undefined;
  return `${meaning.relations.join()} ${meaning.schemaDigest}`;
}

const queries: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'merge']);

export function isPortal(of: Prepared | Portal): of is Portal {
  return 'prepared' in of;
}

/** What is owed, with what the whole of it is asked for again and again: answered without looking through it. */
export class OwedQueue extends Queue<Owed> {
  readonly #copies = new Set<Owed>();
  #changing = 0;

  /** Entries with a COPY … FROM STDIN, in order. */
  get copies(): Iterable<Owed> {
    return this.#copies;
  }

  /** Whether one of them changes what later messages mean, so that they wait for it. */
  get changesMeaning(): boolean {
    return this.#changing > 0;
  }

  override push(owed: Owed): void {
    for (const { meaning } of runsOf(owed)) {
      if (meaning.copy?.direction === 'from') this.#copies.add(owed);
      if (changesMeaning(meaning)) this.#changing++;
    }
    super.push(owed);
  }

  override shift(): Owed | undefined {
    const owed = super.shift();
    if (!owed) return undefined;
    if (this.#copies.size > 0) this.#copies.delete(owed);
    for (const { meaning } of runsOf(owed)) if (changesMeaning(meaning)) this.#changing--;
    return owed;
  }
}

function runsOf(owed: Owed): readonly StatementRun[] {
  if (owed.kind === 'query') return owed.runs;
  return owed.kind === 'execute' && owed.portal.run ? [owed.portal.run] : none;
}

const none: readonly StatementRun[] = [];
