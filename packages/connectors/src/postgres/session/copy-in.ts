import type { Unit } from '@sluice/core/domain/unit.ts';
import { problemOfDenial } from '../login/refusal.ts';
import { client } from '../protocol/codes.ts';
import { copyFail, type Problem, problem } from '../protocol/messages.ts';
import { type Conversation, controlUnit } from './conversation.ts';
import type { Owed } from './owed.ts';

/** Enough of what went before to see a value that lies across two messages. */
const tail = 128;

/**
 * COPY … FROM STDIN: the rows belong to a statement that was allowed, and each message of them is judged as a part of
 * it. Copy messages that no such statement waits for are dropped, as the server drops them after a failed COPY.
 */
export class CopyIn {
  readonly #c: Conversation;
  #of: Owed | undefined;
  #before: Buffer = Buffer.alloc(0);
  #refused = false;
  /** The first part of the message at hand was sent. */
  #begun = false;

  constructor(c: Conversation) {
    this.#c = c;
  }

  /** A large message arrives in parts, and only the first has a head. */
  message(type: number, frame: Buffer, part: { readonly first: boolean; readonly last: boolean }): void {
    const begun = this.#begun;
    if (!part.first && !begun) return;
    this.#begun = !part.last;
    const waiting = this.#waiting();
    if (!waiting) {
      // The server ignores the rest, too, but it needs all of a message to find the next one.
      if (!part.first) this.#c.control('CopyData', frame, undefined);
      this.#begun = !part.first && !part.last;
      return;
    }
    if (waiting.owed !== this.#of) {
      this.#of = waiting.owed;
      this.#before = Buffer.alloc(0);
      this.#refused = false;
    }
    if (this.#refused) {
      this.#begun = false;
      return;
    }
    if (type === client.copyData) this.#rows(waiting.unit, frame, part.first);
    else {
      const name = type === client.copyDone ? 'CopyDone' : 'CopyFail';
      this.#c.forward(this.#c.permitFor(controlUnit(name, frame)), undefined);
    }
  }

  #rows(copy: Unit, frame: Buffer, first: boolean): void {
    const c = this.#c;
    const data = first ? frame.subarray(5) : frame;
    const unit: Unit = { ...copy, name: 'CopyData', bytes: [frame], content: { data, before: this.#before } };
    const outcome = c.session.judge(unit);
    if (outcome.effect === 'allow') {
      c.forward(outcome.permit, undefined);
      this.#before = Buffer.concat([this.#before, data]).subarray(-tail);
      return;
    }
    // Nobody can be asked in the middle of a COPY.
    if (outcome.effect === 'hold') outcome.withdraw();
    this.#refused = true;
    this.#begun = false;
    const answer: Problem =
      outcome.effect === 'deny'
        ? problemOfDenial(outcome.denial, 'ERROR')
        : { severity: 'ERROR', code: '42501', message: 'Policy changed while the COPY was running.' };
    // The server has the beginning of this message and waits for its end: only closing takes it back.
    if (!first) {
      c.close('denied', answer);
      return;
    }
    c.copyRefusal = problem(answer);
    c.control('CopyFail', copyFail('refused by the gateway'), undefined);
  }

  #waiting(): { readonly owed: Owed; readonly unit: Unit } | undefined {
    for (const owed of this.#c.owed.copies) {
      if (
        owed.kind === 'query' &&
        !owed.failed &&
        owed.runs.slice(owed.at).some((run) => run.meaning.copy?.direction === 'from')
      ) {
        return { owed, unit: { ...owed.unit, continues: owed.handle } };
      }
      if (owed.kind === 'execute' && owed.portal.run?.meaning.copy?.direction === 'from') {
        return { owed, unit: { ...owed.portal.unit, continues: owed.portal.handle } };
      }
    }
    return undefined;
  }
}
