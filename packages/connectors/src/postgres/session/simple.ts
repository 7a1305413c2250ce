/** The simple query protocol: one message, any number of statements, all judged before any is sent. */
import type { Allowed, Denied } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { MeaningError } from '../meaning/error.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import { readQuery } from '../protocol/frontend.ts';
import { changesMeaning } from './changes-meaning.ts';
import type { Conversation } from './conversation.ts';
import type { NameChange } from './names.ts';
import { runOf } from './run.ts';
import type { Turn } from './turn.ts';
import { understand, unitOf } from './understand.ts';

interface Judged {
  readonly unit: Unit;
  readonly meanings: readonly StatementMeaning[];
}

export class SimpleQueries {
  readonly #c: Conversation;
  readonly #turn: Turn;

  constructor(c: Conversation, turn: Turn) {
    this.#c = c;
    this.#turn = turn;
  }

  query(frame: Buffer): Promise<void> | undefined {
    const text = readQuery(frame);
    // The server forgets the unnamed statement at any simple query, whatever becomes of it (protocol, "Simple Query").
    const change = this.#c.state.statements.set('', undefined);
    try {
      const meanings = understand(this.#c, text);
      if (!(meanings instanceof Promise)) return this.#judge(frame, text, meanings, change);
      return meanings.then(
        (known) => this.#judge(frame, text, known, change),
        (error) => this.#refuse(text, error, change),
      );
    } catch (error) {
      this.#refuse(text, error, change);
      return undefined;
    }
  }

  #refuse(text: string, error: unknown, change: NameChange): void {
    if (!(error instanceof MeaningError)) throw error;
    this.#c.session.refuse('Query', text, error.publicMessage);
    this.#turn.refuseSimple(error, change);
  }

  #judge(
    frame: Buffer,
    text: string,
    meanings: readonly StatementMeaning[],
    change: NameChange,
  ): Promise<void> | undefined {
    let judged: Judged = {
      unit: unitOf(this.#c, { name: 'Query', frame, text, meanings, parameters: [], renewed }),
      meanings,
    };
    function renewed(unit: Unit, now: readonly StatementMeaning[]): void {
      judged = { unit, meanings: now };
    }
    const outcome = this.#turn.decide(judged.unit);
    if (outcome instanceof Promise) return outcome.then((final) => this.#finish(final, judged, change));
    this.#finish(outcome, judged, change);
    return undefined;
  }

  #finish(outcome: Allowed | Denied, { unit, meanings }: Judged, change: NameChange): void {
    if (this.#c.over) return;
    if (this.#c.skips(outcome)) {
      change.undo();
      return;
    }
    if (outcome.effect === 'deny') {
      this.#turn.refuseSimple(outcome, change);
      return;
    }
    const runs = meanings.map((meaning) => runOf(meaning, outcome));
    if (meanings.some(changesMeaning)) this.#turn.raiseBarrier(true);
    this.#c.forward(outcome.permit, {
      kind: 'query',
      unit,
      handle: outcome.handle,
      runs,
      change,
      at: 0,
      failed: false,
    });
  }
}
