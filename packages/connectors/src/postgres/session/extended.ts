/** The extended query protocol: names are followed as the server will have them, and policy is asked with parameters. */
import type { Allowed, Denied } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { Refusal } from '../login/refusal.ts';
import { MeaningError } from '../meaning/error.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import { type BindMessage, readBind, readExecute, readNamed, readParse } from '../protocol/frontend.ts';
import { describePortal } from '../protocol/messages.ts';
import { changesMeaning } from './changes-meaning.ts';
import type { Conversation } from './conversation.ts';
import type { Names } from './names.ts';
import { type Cursor, descriptionKey, isPortal, type Portal, type Prepared } from './owed.ts';
import { exactParameters, readableParameters } from './parameters.ts';
import { runOf } from './run.ts';
import type { Turn } from './turn.ts';
import { understand, unitOf } from './understand.ts';

export class ExtendedQueries {
  readonly #c: Conversation;
  readonly #turn: Turn;

  constructor(c: Conversation, turn: Turn) {
    this.#c = c;
    this.#turn = turn;
  }

  /** A statement that would be denied whatever its parameters is refused here; one that would be held may be prepared. */
  parse(frame: Buffer): Promise<void> | undefined {
    const message = readParse(frame);
    const refuse = (error: unknown): void => this.#refuseParse(message.name, error);
    const next = (meanings: readonly StatementMeaning[]): undefined => {
      if (meanings.length > 1) {
        throw new MeaningError('syntax', 'cannot insert multiple commands into a prepared statement');
      }
      const unit = unitOf(this.#c, { name: 'Parse', frame, text: message.text, meanings, parameters: [] });
      const outcome = this.#c.session.prepare(unit);
      if (this.#c.skips(outcome)) return undefined;
      if (outcome.effect === 'deny') {
        refuse(outcome);
        return undefined;
      }
      const prepared: Prepared = {
        text: message.text,
        meaning: meanings[0],
        declaredTypes: message.parameterTypes,
        parameterTypes: message.parameterTypes,
      };
      const change = this.#c.state.statements.set(message.name, prepared);
      this.#c.forward(outcome.permit, { kind: 'parse', change });
      return undefined;
    };
    return this.#understood('Parse', message.text, next, refuse);
  }

  bind(frame: Buffer): Promise<void> | undefined {
    const message = readBind(frame);
    const { statements } = this.#c.state;
    const prepared = statements.get(message.statement);
    if (!prepared) {
      const wait = this.#untilKnown(statements, message.statement, () => this.bind(frame));
      if (wait) return wait;
      this.#unknown('Bind', '26000', `prepared statement "${message.statement}" does not exist`);
      return undefined;
    }
    // The path or the catalog may have changed since Parse; the server plans anew then, and so do we.
    return this.#understood('Bind', prepared.text, (meanings) => {
      const parameters = readableParameters(message, prepared.parameterTypes);
      const exactly = (): string | undefined => exactParameters(message, prepared.declaredTypes);
      const parts = { name: 'Bind', frame, text: prepared.text, meanings, parameters, exactly, renewed };
      let judged = { unit: unitOf(this.#c, parts), meaning: meanings[0] };
      function renewed(unit: Unit, now: readonly StatementMeaning[]): void {
        judged = { unit, meaning: now[0] };
      }
      const outcome = this.#turn.decide(judged.unit);
      const finish = (final: Allowed | Denied): void =>
        this.#bound(message, prepared, judged.unit, judged.meaning, final);
      if (outcome instanceof Promise) return outcome.then(finish);
      finish(outcome);
      return undefined;
    });
  }

  describe(frame: Buffer): Promise<void> | undefined {
    const named = readNamed(frame);
    const { state } = this.#c;
    const names: Names<Prepared | Portal | Cursor> = named.kind === 'statement' ? state.statements : state.portals;
    const of = names.get(named.name);
    if (!of) {
      const wait = this.#untilKnown(names, named.name, () => this.describe(frame));
      if (wait) return wait;
      const code = named.kind === 'statement' ? '26000' : '34000';
      this.#unknown(
        'Describe',
        code,
        `${named.kind === 'statement' ? 'prepared statement' : 'portal'} "${named.name}" does not exist`,
      );
    } else if ('cursor' in of) {
      // Drivers ask what a cursor made by DECLARE returns before they FETCH from it.
      const described: Prepared = { text: '', meaning: of.cursor, declaredTypes: [], parameterTypes: [] };
      this.#c.control('Describe', frame, { kind: 'describe', of: described, hidden: false });
    } else {
      if (isPortal(of)) of.result.asked = true;
      this.#c.control('Describe', frame, { kind: 'describe', of, hidden: false });
    }
    return undefined;
  }

  execute(frame: Buffer): Promise<void> | undefined {
    const { portal: name } = readExecute(frame);
    const { portals } = this.#c.state;
    const portal = portals.get(name);
    if (!portal) {
      const wait = this.#untilKnown(portals, name, () => this.execute(frame));
      if (wait) return wait;
      this.#unknown('Execute', '34000', `portal "${name}" does not exist`);
      return undefined;
    }
    if ('cursor' in portal) {
      this.#unknown('Execute', '0A000', 'a cursor made by DECLARE can be read with FETCH only');
      return undefined;
    }
    const outcome = this.#turn.decide(this.#carryingOut(portal, frame));
    if (outcome instanceof Promise) return outcome.then((final) => this.#execute(name, portal, final));
    this.#execute(name, portal, outcome);
    return undefined;
  }

  /** The portal's unit, bound to the session as it is now: what was approved under another role or path was not this. */
  #carryingOut(portal: Portal, frame: Buffer): Unit {
    const own = { name: 'Execute', bytes: [frame], continues: portal.handle };
    const { renew } = portal.unit;
    const binding = { ...portal.unit.binding, ...this.#c.state.binding };
    const unit: Unit = { ...portal.unit, ...own, binding };
    return renew ? { ...unit, renew: async () => ({ ...(await renew()), ...own }) } : unit;
  }

  close(frame: Buffer): undefined {
    const named = readNamed(frame);
    const { state } = this.#c;
    const change =
      named.kind === 'statement'
        ? state.statements.set(named.name, undefined)
        : state.portals.set(named.name, undefined);
    this.#c.control('Close', frame, { kind: 'close', change });
    return undefined;
  }

  #bound(
    message: BindMessage,
    prepared: Prepared,
    unit: Unit,
    meaning: StatementMeaning | undefined,
    outcome: Allowed | Denied,
  ): void {
    const c = this.#c;
    if (c.over || c.skips(outcome)) return;
    if (outcome.effect === 'deny') {
      this.#turn.refuseExtended(outcome);
      return;
    }
    const portal: Portal = {
      prepared,
      result: {},
      formats: message.resultFormats,
      unit,
      handle: outcome.handle,
      run: meaning && runOf(meaning, outcome),
    };
    const change = c.state.portals.set(message.portal, portal);
    c.forward(outcome.permit, { kind: 'bind', change, run: portal.run });
  }

  #execute(name: string, portal: Portal, outcome: Allowed | Denied): void {
    const c = this.#c;
    if (c.over || c.skips(outcome)) return;
    if (outcome.effect === 'deny') {
      this.#turn.refuseExtended(outcome);
      return;
    }
    const { run, prepared } = portal;
    // A policy that changed since Bind may mask more, or limit further.
    const now = run && { ...runOf(run.meaning, outcome), given: run.given };
    const { described } = prepared;
    if (described !== undefined && described.key === descriptionKey(run?.meaning)) {
      portal.result.columns ??= described.columns;
    }
    if (now?.meaning.returnsRows && portal.result.columns === undefined && !portal.result.asked) {
      portal.result.asked = true;
      // The client did not ask what comes back; without knowing it nothing can be masked.
      c.control('Describe', describePortal(name), { kind: 'describe', of: portal, hidden: true });
    }
    this.#turn.executed();
    if (run && changesMeaning(run.meaning)) this.#turn.raiseBarrier(false);
    c.forward(outcome.permit, { kind: 'execute', portal: now ? { ...portal, run: now } : portal });
  }

  #understood(
    name: string,
    text: string,
    next: (meanings: readonly StatementMeaning[]) => Promise<void> | undefined,
    answer = (error: unknown): void => this.#turn.refuseExtended(error),
  ): Promise<void> | undefined {
    const refuse = (error: unknown): void => {
      if (!(error instanceof MeaningError)) throw error;
      this.#c.session.refuse(name, text, error.publicMessage);
      answer(error);
    };
    try {
      const meanings = understand(this.#c, text);
      if (meanings instanceof Promise) return meanings.then(next).catch(refuse);
      return next(meanings);
    } catch (error) {
      refuse(error);
      return undefined;
    }
  }

  /** The server forgets the unnamed statement before it reads the text of a new one (exec_parse_message). */
  #refuseParse(name: string, error: unknown): void {
    this.#turn.refuseExtended(error, name === '' ? this.#c.state.statements.set('', undefined) : undefined);
  }

  /** What takes a name away may yet be skipped by the server, which then still has it: tried again once it answered. */
  #untilKnown<T>(names: Names<T>, name: string, again: () => Promise<void> | undefined): Promise<void> | undefined {
    const wait = names.pending(name) ? this.#turn.moreAnswers() : undefined;
    return wait?.then(() => (this.#c.over || this.#c.skipping ? undefined : again()));
  }

  #unknown(message: string, code: string, text: string): void {
    this.#c.session.refuse(message, '', text);
    this.#turn.refuseExtended(new Refusal({ severity: 'ERROR', code, message: text }));
  }
}
