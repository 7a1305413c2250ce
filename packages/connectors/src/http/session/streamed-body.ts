import type { Session } from '@sluice/core/contract/session.ts';
import type { Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import { HttpError } from '../../wire/http/http-error.ts';

/** A masked value is shorter than this, so that one across two pieces is still found. */
const tail = 1024;

/** The body of a request that is passed on as it comes: each piece is decided and recorded before it is sent. */
export class StreamedBody implements AsyncIterable<Uint8Array> {
  readonly #session: Session;
  readonly #unit: Unit;
  readonly #handle: UnitHandle;
  readonly #pieces: AsyncIterable<Uint8Array>;

  constructor(session: Session, unit: Unit, handle: UnitHandle, pieces: AsyncIterable<Uint8Array>) {
    this.#session = session;
    this.#unit = unit;
    this.#handle = handle;
    this.#pieces = pieces;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let before: Uint8Array = new Uint8Array(0);
    for await (const data of this.#pieces) {
      const outcome = this.#session.judge({
        ...this.#unit,
        name: 'body',
        bytes: [],
        content: { data, before },
        continues: this.#handle,
      });
      if (outcome.effect !== 'allow') {
        // Nobody can be asked in the middle of a body.
        if (outcome.effect === 'hold') outcome.withdraw();
        const reason = outcome.effect === 'deny' ? outcome.denial.reason : 'Policy changed while the body was sent.';
        throw new HttpError('bad_request', reason);
      }
      const sent = this.#session.carryOut(outcome.permit, (unit) => unit.content?.data ?? new Uint8Array(0));
      before = Buffer.concat([before, data]).subarray(-tail);
      yield sent;
    }
  }
}
