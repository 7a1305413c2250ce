import type { AnyEvent } from '@sluice/core/recording/entry.ts';

/** Where the journal and the files disagree. */
export interface JournalFault {
  readonly code: /** The journal knows a recording that is not there. */
    | 'missing'
    /** The journal saw it sealed as another one. */
    | 'replaced'
    /** The journal saw it sealed, and it is not any more. */
    | 'unsealed'
    /** No journal knows it. */
    | 'unknown'
    /** There is no journal although there are recordings. */
    | 'no_journal'
    /** A journal does not say which one was before it, though it is not the first. */
    | 'journal_gap';
  readonly session: string;
  /** For people. */
  readonly message: string;
}

/** A file as it was verified. */
export interface CheckedFile {
  readonly session: string;
  /** Lower-case hex. */
  readonly head: string;
  readonly sealed: boolean;
}

interface Continued {
  readonly journal: string;
  readonly previous: string;
  readonly head: string;
}

/** Compares what the gateway's journals witnessed with the recordings that are there. */
export class JournalCheck {
  readonly #journals = new Set<string>();
  readonly #known = new Set<string>();
  readonly #sealed = new Map<string, string>();
  readonly #continued: Continued[] = [];

  /** One event of a journal. */
  add(journal: string, event: AnyEvent): void {
    this.#journals.add(journal);
    if (event.type !== 'event') return;
    const { name, detail } = event;
    const session = String(detail['session'] ?? '');
    const head = String(detail['head'] ?? '');
    switch (name) {
      case 'session.opened':
      case 'recording.unreadable':
        this.#known.add(session);
        break;
      case 'session.sealed':
      case 'recording.recovered':
        this.#known.add(session);
        this.#sealed.set(session, head);
        break;
      case 'journal.continued':
        this.#continued.push({ journal, previous: String(detail['previous'] ?? ''), head });
        break;
      default:
        break;
    }
  }

  faults(files: readonly CheckedFile[]): JournalFault[] {
    if (this.#journals.size === 0) {
      const message = "the gateway's journal is not there: whether recordings were removed cannot be told";
      return files.length === 0 ? [] : [{ code: 'no_journal', session: '', message }];
    }
    const present = new Map(files.map((file) => [file.session, file]));
    return [...this.#missing(present), ...this.#changed(files), ...this.#gaps(present)];
  }

  #missing(present: ReadonlyMap<string, CheckedFile>): JournalFault[] {
    return [...this.#known]
      .filter((session) => !present.has(session))
      .map((session) => {
        const sealed = this.#sealed.get(session);
        const as = sealed === undefined ? '' : ` (sealed as ${sealed})`;
        return { code: 'missing', session, message: `the journal knows this recording${as}, and it is not there` };
      });
  }

  #changed(files: readonly CheckedFile[]): JournalFault[] {
    const faults: JournalFault[] = [];
    for (const { session, head, sealed } of files) {
      const witnessed = this.#sealed.get(session);
      if (witnessed === undefined) {
        if (this.#known.has(session) || this.#journals.has(session)) continue;
        faults.push({ code: 'unknown', session, message: 'no journal knows this recording' });
      } else if (!sealed) {
        faults.push({
          code: 'unsealed',
          session,
          message: `the journal saw it sealed as ${witnessed}: the seal is gone`,
        });
      } else if (head !== witnessed) {
        const message = `the journal saw it sealed as ${witnessed}, and this one is ${head}`;
        faults.push({ code: 'replaced', session, message });
      }
    }
    return faults;
  }

  /** Every journal but the first names the one before it, and what it names is there, sealed as it says. */
  #gaps(present: ReadonlyMap<string, CheckedFile>): JournalFault[] {
    const faults: JournalFault[] = [];
    for (const { journal, previous, head } of this.#continued) {
      const file = present.get(previous);
      if (!file) {
        const message = `journal ${journal} goes on from this one, and it is not there`;
        faults.push({ code: 'missing', session: previous, message });
      } else if (head !== '' && file.head !== head) {
        const message = `journal ${journal} goes on from it as ${head}, and this one is ${file.head}`;
        faults.push({ code: 'replaced', session: previous, message });
      }
    }
    const followers = new Set(this.#continued.map(({ journal }) => journal));
    const first = [...this.#journals].filter((journal) => !followers.has(journal)).sort();
    for (const session of first.slice(1)) {
      const message = 'it does not say which journal was before it: journals are missing, or it was put in';
      faults.push({ code: 'journal_gap', session, message });
    }
    const followed = new Set(this.#continued.map(({ previous }) => previous));
    const last = [...this.#journals].filter((journal) => !followed.has(journal)).sort();
    for (const session of last.slice(0, -1)) {
      const message = 'no later journal goes on from it: journals are missing, or it was put in';
      faults.push({ code: 'journal_gap', session, message });
    }
    return faults;
  }
}
