/**
 * The client's messages, one after the other: understood, judged, and forwarded or refused in their place. One message
 * at a time: while one waits (for consent, for the catalog, for the server's word on what a setting now is), the ones
 * behind it wait, too.
 */
import type { Allowed, Denied, Held } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { EncodingError } from '../../wire/byte-reader.ts';
import { holdNotice } from '../login/hold-notice.ts';
import { MeaningError } from '../meaning/error.ts';
import { client } from '../protocol/codes.ts';
import { Framer, FramingError } from '../protocol/framer.ts';
import { problem } from '../protocol/messages.ts';
import { extended, namesOnly, needsMeaning, treatmentOf } from './client-messages.ts';
import type { Conversation } from './conversation.ts';
import { CopyIn } from './copy-in.ts';
import { ExtendedQueries } from './extended.ts';
import type { NameChange } from './names.ts';
import { Queue } from './queue.ts';
import { Refusals } from './refusals.ts';
import { SimpleQueries } from './simple.ts';
import type { Turn } from './turn.ts';

/** A message from the client; `oversized` is its length when its bytes were dropped. */
interface Item {
  readonly type: number;
  readonly frame: Buffer;
  readonly oversized: number;
  /** Set for a part of a message that is too large to be held whole. */
  readonly part?: { readonly first: boolean; readonly last: boolean };
}

/** Enough to keep the server busy; past it the client waits. */
const inboxBytes = 1_048_576;
/**
 * Behind a statement that waits for consent the client is read on, because only so it is seen to leave, and what nobody
 * waits for any more must not run. More than this nobody means to send there.
 */
const heldInboxBytes = 4_194_304;
/** What a message costs beside its bytes: a flood of the smallest is to fill the inbox, too. */
const itemBytes = 128;
/** Answers under way. More than the server's own output buffer holds, so that it is never waited for in vain. */
const mostOwed = 32_768;
/** Messages handled before other sessions have their turn. */
const mostAtOnce = 256;

export class FromClient implements Turn {
  readonly #c: Conversation;
  readonly #framer: Framer;
  readonly #simple: SimpleQueries;
  readonly #extended: ExtendedQueries;
  readonly #copyIn: CopyIn;
  readonly #refusals: Refusals;
  readonly #inbox = new Queue<Item>();
  #inboxBytes = 0;
  #busy = false;
  #paused = false;
  #upstreamSlow = false;
  #recorderSlow = false;
  #later = false;
  #held: Held | undefined;
  /** Messages of the extended protocol were sent that no Sync has followed yet. */
  #unsynced = false;
  /** The message at hand changes what later ones mean. */
  #barrier: 'none' | 'open' | 'synced' = 'none';

  constructor(c: Conversation) {
    this.#c = c;
    this.#refusals = new Refusals(c);
    this.#simple = new SimpleQueries(c, this);
    this.#extended = new ExtendedQueries(c, this);
    this.#copyIn = new CopyIn(c);
    this.#framer = new Framer((type, length) => treatmentOf(c, type, length), {
      frame: (type, frame) => this.#add({ type, frame, oversized: 0 }),
      piece: (type, frame, first, last) => this.#add({ type, frame, oversized: 0, part: { first, last } }),
      oversized: (type, length) => this.#add({ type, frame: Buffer.alloc(0), oversized: length }),
    });
    c.onSettled = () => this.#settled();
  }

  push(chunk: Uint8Array): void {
    if (this.#c.over) return;
    try {
      this.#framer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    } catch (error) {
      if (!(error instanceof FramingError)) {
        // E.g. a refusal that could not be written down.
        this.#fail(error);
        return;
      }
      this.#c.close('protocol_error', {
        severity: 'FATAL',
        code: '08P01',
        message: `invalid frontend message: ${error.message}`,
      });
      return;
    }
    this.run();
  }

  /** Works through what has arrived, then lets this turn's bytes go. */
  run(): void {
    const c = this.#c;
    try {
      let left = mostAtOnce;
      while (!this.#busy && !c.over && !c.terminated && c.owed.length < mostOwed) {
        if (left-- === 0) {
          this.#goOnLater();
          break;
        }
        const item = this.#inbox.shift();
        if (!item) break;
        this.#inboxBytes -= item.frame.length + itemBytes;
        const wait = this.#handle(item);
        if (wait) this.#await(wait);
      }
      this.endTurn();
    } catch (error) {
      this.#fail(error);
    }
  }

  #goOnLater(): void {
    if (this.#later) return;
    this.#later = true;
    setImmediate(() => {
      this.#later = false;
      this.run();
    });
  }

  endTurn(): void {
    const c = this.#c;
    if (c.over) return;
    if (!c.session.flush()) this.#upstreamSlow = true;
    const clientSlow = !c.output.flush();
    if (c.session.recorderBehind && !this.#recorderSlow) {
      this.#recorderSlow = true;
      c.session.onRecorderReady(() => {
        this.#recorderSlow = false;
        this.run();
      });
    }
    if (this.#held && this.#inboxBytes > heldInboxBytes) {
      const message = 'too much was sent behind a statement that waits for consent';
      c.close('protocol_error', { severity: 'FATAL', code: '54000', message });
      return;
    }
    const full = this.#inboxBytes > inboxBytes && !this.#held;
    const pause = this.#upstreamSlow || clientSlow || this.#recorderSlow || full;
    if (pause !== this.#paused) {
      this.#paused = pause;
      if (pause) c.client.pause();
      else c.client.resume();
    }
  }

  upstreamDrained(): void {
    this.#upstreamSlow = false;
    this.run();
  }

  /** The server answered something: there may be room for more. */
  answered(): void {
    if (this.#inbox.length > 0) this.run();
  }

  /** A CancelRequest for this session: true when it was a held statement that it ended. */
  cancelHeld(): boolean {
    if (!this.#held) return false;
    this.#refusals.cancel(true);
    this.#held.withdraw();
    return true;
  }

  clientGone(): void {
    this.#held?.withdraw();
  }

  /** Judges a unit; where it is held, the client is told and kept waiting. */
  decide(unit: Unit): Allowed | Denied | Promise<Allowed | Denied> {
    const outcome = this.#c.session.judge(unit);
    return outcome.effect === 'hold' ? this.#park(outcome) : outcome;
  }

  executed(): void {
    this.#refusals.executed();
  }

  /** Later messages can be understood only once the server has answered this one. */
  raiseBarrier(alreadySynced: boolean): void {
    this.#barrier = alreadySynced ? 'synced' : 'open';
  }

  /** The server answers only up to a Sync: where that is still to come, there is nothing to wait for. */
  moreAnswers(): Promise<void> | undefined {
    if (this.#unsynced || this.#c.owed.length === 0) return undefined;
    this.#barrier = 'synced';
    return new Promise((resolve) => {
      this.#onBarrierGone = resolve;
    });
  }

  refuseExtended(error: unknown, change?: NameChange): void {
    this.#refusals.extended(error, change);
  }

  refuseSimple(error: unknown, change?: NameChange): void {
    this.#refusals.simple(error, change);
  }

  #handle(item: Item): Promise<void> | undefined {
    const c = this.#c;
    const { type } = item;
    if (c.skipping && type !== client.sync && type !== client.terminate && item.part?.first !== false) return undefined;
    if (this.#barrier === 'synced' && (needsMeaning.has(type) || namesOnly.has(type)))
      return this.#waitForBarrier(item);
    if (this.#barrier === 'open' && needsMeaning.has(type)) {
      // The server answers only after a Sync, which is behind this message: waiting for it would be for ever.
      const error = new MeaningError('send_separately', 'the statement before this one changes what names mean', {
        hint: 'Send Sync after it, then go on.',
      });
      this.#refusals.refuse(type, error);
      return undefined;
    }
    if (item.oversized > 0) return this.#oversized(item);
    if (needsMeaning.has(type)) {
      const fresh = c.catalog.freshen();
      // A catalog that cannot be read refuses the message where it is to be understood.
      if (fresh)
        return fresh.then(
          () => this.#handle(item),
          () => this.#carryOut(item),
        );
      if (this.#pathMayDiffer()) return this.#readPathFirst(item);
    }
    return this.#carryOut(item);
  }

  #carryOut(item: Item): Promise<void> | undefined {
    const c = this.#c;
    const { type } = item;
    try {
      const wait = this.#dispatch(item);
      if (!extended.has(type)) return wait;
      const sent = (): void => {
        this.#unsynced = true;
      };
      if (wait) return wait.then(sent);
      sent();
      return undefined;
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      c.session.refuse(`0x${type.toString(16)}`, '', error.message);
      const refusal = new MeaningError('encoding', error.message);
      this.#refusals.refuse(type, refusal);
      return undefined;
    }
  }

  /** Somebody made, dropped or renamed a schema, or changed who may use it, since the path was read. */
  #pathMayDiffer(): boolean {
    const { state, catalog } = this.#c;
    if (state.status === 'E') return false;
    try {
      return state.schemaState !== catalog.current().schemaState;
    } catch {
      return false;
    }
  }

  #readPathFirst(item: Item): Promise<void> | undefined {
    const c = this.#c;
    if (this.#unsynced) {
      const error = new MeaningError('send_separately', 'the schemas of the database have changed', {
        hint: 'Send Sync, then send it again.',
      });
      this.#refusals.refuse(item.type, error);
      return undefined;
    }
    c.state.dirty = true;
    this.#barrier = 'synced';
    const wait = this.#waitForBarrier(item);
    // Otherwise the server's next ReadyForQuery brings it about.
    if (c.owed.length === 0) c.settle();
    return wait;
  }

  #dispatch({ type, frame, part }: Item): Promise<void> | undefined {
    const c = this.#c;
    switch (type) {
      case client.query:
        return this.#simple.query(frame);
      case client.parse:
        return this.#extended.parse(frame);
      case client.bind:
        return this.#extended.bind(frame);
      case client.describe:
        return this.#extended.describe(frame);
      case client.execute:
        return this.#extended.execute(frame);
      case client.close:
        return this.#extended.close(frame);
      case client.flush:
        c.control('Flush', frame, undefined);
        return undefined;
      case client.sync:
        this.#sync(frame);
        return undefined;
      case client.copyData:
      case client.copyDone:
      case client.copyFail:
        this.#copyIn.message(type, frame, part ?? whole);
        return undefined;
      case client.functionCall:
        c.session.refuse('FunctionCall', '', 'Function calls by message (fast path) cannot be judged.');
        this.#refusals.simple(
          new MeaningError(
            'unsupported',
            'function calls by message (fast path) are not available through the gateway',
            { hint: 'Call the function in a statement.' },
          ),
        );
        return undefined;
      case client.terminate:
        this.#terminate(frame);
        return undefined;
      default:
        throw new RangeError(`message type ${type} cannot be handled`);
    }
  }

  #sync(frame: Buffer): void {
    this.#c.skipping = false;
    this.#refusals.synced();
    this.#unsynced = false;
    if (this.#barrier === 'open') this.#barrier = 'synced';
    this.#c.control('Sync', frame, { kind: 'sync' });
  }

  /** The server answers what it was asked before, and then closes; so do we. */
  #terminate(frame: Buffer): void {
    this.#c.control('Terminate', frame, undefined);
    this.#c.terminated = true;
  }

  #oversized(item: Item): undefined {
    const c = this.#c;
    const limit = c.ports.limits.statementBytes;
    c.session.refuse(
      item.type === client.query ? 'Query' : 'Parse',
      '',
      `The statement has ${item.oversized} bytes; the limit is ${limit}.`,
    );
    const error = new MeaningError(
      'too_large',
      `statement of ${item.oversized} bytes is above the gateway's limit of ${limit}`,
      {
        hint: 'Send it in parts, or move large values into parameters or COPY.',
      },
    );
    this.#refusals.refuse(item.type, error);
    return undefined;
  }

  async #park(held: Held): Promise<Allowed | Denied> {
    const c = this.#c;
    this.#held = held;
    const shown = held.notice.then((notice) => {
      if (!notice || c.over) return;
      const told = holdNotice(notice);
      c.output.write(problem(told));
      c.session.record({ type: 'notice', severity: told.severity, code: told.code, message: told.message });
      c.output.flush();
    });
    shown.catch((error) => this.#fail(error));
    // What was too much to read is read now, so that the client is seen to leave.
    this.endTurn();
    const final = await held.settled;
    this.#held = undefined;
    if (final.effect === 'allow') this.#refusals.cancel(false);
    return final;
  }

  async #waitForBarrier(item: Item): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onBarrierGone = resolve;
    });
    if (!this.#c.over) await this.#handle(item);
  }

  #onBarrierGone: (() => void) | undefined;

  #settled(): void {
    this.#barrier = 'none';
    const resume = this.#onBarrierGone;
    this.#onBarrierGone = undefined;
    resume?.();
  }

  #await(wait: Promise<void>): void {
    this.#busy = true;
    wait.then(
      () => {
        this.#busy = false;
        this.run();
      },
      (error) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (error instanceof RangeError) {
      // A body that does not fit its message: the stream can no longer be trusted.
      this.#c.close(
        'protocol_error',
        { severity: 'FATAL', code: '08P01', message: `invalid frontend message: ${error.message}` },
        error,
      );
    } else {
      this.#c.fail(error, 'gateway_error');
    }
  }

  #add(item: Item): void {
    this.#inbox.push(item);
    this.#inboxBytes += item.frame.length + itemBytes;
  }
}

const whole = { first: true, last: true };
