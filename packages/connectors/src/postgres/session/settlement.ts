/**
 * What a session believes about names, brought up to date: after a statement that changes them, and when somebody else
 * may have. Nothing is understood until it is done.
 */
import { CoreError } from '@sluice/core/domain/error.ts';
import { query } from '../protocol/messages.ts';
import type { Conversation } from './conversation.ts';
import { stateQuery } from './state.ts';

export class Settlement {
  readonly #c: Conversation;
  #reading = false;

  constructor(c: Conversation) {
    this.#c = c;
  }

  /** Calls `onSettled` once nothing is left to be read back. Only where the server is at rest, or will say that it is. */
  settle(): void {
    const c = this.#c;
    const { state } = c;
    // Something that changes what names mean is still on its way: its own end settles it.
    if (this.#reading || c.owed.changesMeaning) return;
    const readBack = state.dirty && state.status !== 'E';
    if (!readBack && !state.catalogStale) {
      c.onSettled();
      return;
    }
    this.#reading = true;
    this.#readBack(readBack).then(
      () => {
        this.#reading = false;
        this.settle();
      },
      (error) => c.fail(error, 'gateway_error'),
    );
  }

  async #readBack(state: boolean): Promise<void> {
    const c = this.#c;
    if (c.state.catalogStale) {
      c.state.catalogStale = false;
      await c.catalog.refresh();
    }
    if (state) await readState(c);
  }
}

/** Asks the server for path, role and database as they are now. */
export async function readState(c: Conversation): Promise<void> {
  // Taken before the answer: a schema that appears in between is noticed at the next look.
  const { schemaState } = c.catalog.current();
  const { rows, error } = await c.ask(query(stateQuery));
  if (error) throw error;
  if (!rows[0]) {
    throw new CoreError(
      'upstream_protocol',
      'upstream',
      'The database broke the PostgreSQL protocol; the session is closed.',
      {
        detail: 'upstream sent no answer to a query of the gateway',
      },
    );
  }
  c.state.read(rows[0], schemaState);
}
