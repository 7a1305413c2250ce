/** What gives a statement its meaning in this session: path, role, transaction, names, and what only it knows so far. */
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { applyEffects, emptyOverlay } from '../meaning/overlay.ts';
import type { MeaningContext, Overlay, SessionEffect, StatementMeaning } from '../meaning/statement.ts';
import type { TransactionStatus } from '../protocol/codes.ts';
import { Names } from './names.ts';
import type { Cursor, Portal, Prepared } from './owed.ts';

type Binding = Readonly<Record<string, string>>;

const bindings = new Map<string, Binding>();
const mostBindings = 256;

/** Equal ones are one object, so that what was put together with it serves every session that is alike. */
function oneOf(binding: Binding): Binding {
  const key = JSON.stringify(binding);
  const known = bindings.get(key);
  if (known) return known;
  if (bindings.size >= mostBindings) bindings.clear();
  bindings.set(key, Object.freeze(binding));
  return binding;
}

/** As it stands in a list that people read; a name that could be taken for several, or for a quoted one, is quoted. */
function listed(name: string): string {
  return /[",]/.test(name) ? JSON.stringify(name) : name;
}

/** Reads the state back from the server; text values, one row. */
export const stateQuery =
  'SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text, current_user::pg_catalog.text, session_user::pg_catalog.text, pg_catalog.current_database()::pg_catalog.text';

/** '01/02/2026' is another day under another one of these. */
const readingSettings: ReadonlySet<string> = new Set(['DateStyle', 'IntervalStyle', 'TimeZone']);

export class SessionState {
  readonly target: string;
  readonly statements = new Names<Prepared>();
  readonly portals = new Names<Portal | Cursor>();
  status: TransactionStatus = 'I';
  searchPath: readonly string[] = [];
  role = '';
  sessionUser = '';
  database = '';
  /** How the server reads and writes dates, times and intervals, as it last told. */
  readonly #readings = new Map<string, string>();
  readonly #prepared = (name: string): Prepared | undefined => this.statements.get(name);
  readonly #cursor = (name: string): StatementMeaning | undefined => this.#meaningOf(this.portals.get(name));
  /** What was made of the fields above, until one of them changes. */
  #context: MeaningContext | undefined;
  #binding: Binding | undefined;
  /** The schemas there were when the path was read: others may make it mean something else. */
  schemaState = '';
  overlay: Overlay = emptyOverlay;
  /** Microseconds that it took to understand the last text that was. */
  parsing = 0;
  /** Path or role may be other ones than we think: read them back before the next statement is understood. */
  dirty = false;
  /** The catalog may be older than what this session committed. */
  catalogStale = false;
  #changedInTransaction = false;
  #catalogInTransaction = false;

  constructor(target: string) {
    this.target = target;
  }

  context(catalog: Catalog, labels: LabelMap): MeaningContext {
    const known = this.#context;
    if (known && known.catalog === catalog && known.labels === labels && known.overlay === this.overlay) return known;
    this.#context = {
      target: this.target,
      catalog,
      labels,
      searchPath: this.searchPath,
      role: this.role,
      sessionUser: this.sessionUser,
      database: this.database,
      overlay: this.overlay,
      prepared: this.#prepared,
      cursor: this.#cursor,
    };
    return this.#context;
  }

  /** What of the session an approval must be bound to: it gives the same words another meaning. */
  get binding(): Binding {
    this.#binding ??= oneOf({
      search_path: this.searchPath.map(listed).join(','),
      role: this.role,
      session_user: this.sessionUser,
      database: this.database,
      ...Object.fromEntries(this.#readings),
    });
    return this.#binding;
  }

  /** Takes over a ParameterStatus. */
  told(name: string, value: string): void {
    if (!readingSettings.has(name)) return;
    this.#readings.set(name, value);
    this.#binding = undefined;
  }

  /** Takes over the answer to `stateQuery`, asked when there were these schemas. */
  read(row: readonly (string | null)[], schemaState: string): void {
    this.schemaState = schemaState;
    this.searchPath = JSON.parse(row[0] ?? '[]') as string[];
    this.role = row[1] ?? '';
    this.sessionUser = row[2] ?? '';
    this.database = row[3] ?? '';
    this.dirty = false;
    this.#context = undefined;
    this.#binding = undefined;
  }

  /** The server says the statement is complete. */
  completed(meaning: StatementMeaning): void {
    for (const effect of meaning.effects) this.#apply(effect);
    if (meaning.effects.length > 0) this.overlay = applyEffects(this.overlay, meaning.effects);
    // Code that we cannot see into may have changed the path or the role on the way.
    if (meaning.actions.some((action) => action.access === 'execute')) this.#changed();
  }

  /** The server is ready again, in this transaction status. */
  ready(status: TransactionStatus): void {
    this.status = status;
    if (status !== 'I') return;
    // A COMMIT that fails (a deferred constraint) takes back what was set, and no COMMIT is ever complete.
    if (this.#changedInTransaction) this.dirty = true;
    // What the transaction did to names is now for everyone to see, or undone.
    if (this.#catalogInTransaction || this.overlay.changes.length > 0) this.catalogStale = true;
    this.overlay = emptyOverlay;
    this.portals.dropSettled((portal) => 'cursor' in portal && portal.hold);
    this.#catalogInTransaction = false;
    this.#changedInTransaction = false;
  }

  #meaningOf(portal: Portal | Cursor | undefined): StatementMeaning | undefined {
    return portal && ('cursor' in portal ? portal.cursor : (portal.run ?? portal.prepared).meaning);
  }

  #apply(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'prepare':
        this.statements
          .set(effect.name, { text: effect.source, meaning: effect.query, declaredTypes: [], parameterTypes: [] })
          .confirm();
        break;
      case 'deallocate':
        if (effect.name === 'all') this.statements.clear();
        else this.statements.set(effect.name, undefined).confirm();
        break;
      case 'declare_cursor':
        this.portals.set(effect.name, { cursor: effect.query, hold: effect.hold }).confirm();
        break;
      case 'close_cursor':
        if (effect.name === 'all') this.portals.clear();
        else this.portals.set(effect.name, undefined).confirm();
        break;
      case 'discard':
        if (effect.what === 'all') {
          this.statements.clear();
          this.portals.clear();
        }
        this.#changed();
        break;
      case 'ddl':
        this.#catalogInTransaction = true;
        this.#changed();
        break;
      case 'overlay':
        this.#catalogInTransaction = true;
        this.#changed();
        break;
      case 'commit':
      case 'rollback':
      case 'rollback_to':
      case 'prepare_transaction':
        // What was set inside the transaction, or only for it, is now something else.
        if (this.#changedInTransaction) this.dirty = true;
        break;
      case 'search_path':
      case 'role':
      case 'session_authorization':
      case 'setting':
        this.#changed();
        break;
      default:
        break;
    }
  }

  #changed(): void {
    this.dirty = true;
    this.#changedInTransaction = true;
  }
}
