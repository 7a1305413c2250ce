import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Permit } from '@sluice/core/contract/permit.ts';
import type { Allowed, Denial, Denied, Held, HoldNotice, Session } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import * as answer from './answers.ts';
import { Handles, type Open } from './handles.ts';
import type { Ground } from './operations.ts';
import { code } from './protocol.ts';
import type { Answer, SftpTarget, TargetStream } from './target.ts';

/** Milliseconds after which what is open is held against the policy of then before more of it is read. */
const checkEvery = 100;

export interface SftpParts {
  readonly session: Session;
  readonly clock: Clock;
  readonly ground: Ground;
  /** Starts file transfer at the target. */
  openTarget(): Promise<TargetStream>;
  /** To the client; false: wait for `resume`. */
  write(bytes: Buffer): boolean;
  denied(denial: Denial): void;
  held(notice: HoldNotice): void;
  /** Something else that the client is to know, as text. */
  said(text: string): void;
  /** Stop or go on reading from the client. */
  flow(on: boolean): void;
  /** Once: it is over, with the error that ended it, if one did. */
  over(error?: Error): void;
}

/** What all requests of one file transfer go through: decisions, what is waited for, and answers. */
export class Desk {
  readonly session: Session;
  readonly clock: Clock;
  readonly ground: Ground;
  readonly handles = new Handles();
  /** Where the target starts, absolute. */
  home = '/';
  over = false;
  clientFull = false;
  readonly outstanding = { requests: 0, bytes: 0 };
  readonly #p: SftpParts;
  readonly #fail: (error: Error) => void;
  readonly #answered: () => void;
  #held: Held | undefined;
  #leaving = false;

  /** `answered` is called whenever less is waited for; `fail` with what ends the transfer. */
  constructor(parts: SftpParts, answered: () => void, fail: (error: Error) => void) {
    this.session = parts.session;
    this.clock = parts.clock;
    this.ground = parts.ground;
    this.#p = parts;
    this.#answered = answered;
    this.#fail = fail;
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.over = true;
    this.#held?.withdraw();
    for (const open of this.handles.all()) this.complete(open);
  }

  /** The client will not come back for what is held. */
  giveUp(): void {
    this.#leaving = true;
    this.#held?.withdraw();
  }

  /** Undefined when it was over before it was decided. */
  async decide(unit: Unit): Promise<Allowed | Denied | undefined> {
    const { session } = this;
    const outcome = session.judge(unit);
    session.flush();
    if (outcome.effect !== 'hold') return outcome;
    this.#held = outcome;
    if (this.#leaving) outcome.withdraw();
    void outcome.notice.then(
      (notice) => notice && !this.over && this.#p.held(notice),
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
    const settled = await outcome.settled;
    this.#held = undefined;
    if (!this.over) return settled;
    if (settled.effect === 'allow') session.discard(settled.permit);
    return undefined;
  }

  /** What goes to the target is in the unit that was decided. */
  ask(target: SftpTarget, permit: Permit): Promise<Answer> {
    return this.session.carryOut(permit, ({ bytes: [body] }) =>
      target.ask(body?.[0] ?? 0, body?.subarray(1) ?? Buffer.alloc(0)),
    );
  }

  whenAnswered<T>(id: number, bytes: number, asked: Promise<T>, say: (given: T) => Buffer | undefined): void {
    this.outstanding.requests++;
    this.outstanding.bytes += bytes;
    asked
      .then((given) => {
        this.outstanding.requests--;
        this.outstanding.bytes -= bytes;
        if (this.over) return;
        const packet = say(given);
        if (packet) this.send(packet);
        this.#answered();
      })
      .catch((error: unknown) => this.#fail(error instanceof Error ? error : new Error(`request ${id} failed`)));
  }

  /** Whether policy still allows what was opened; asked again every moment, so that a change ends what runs. */
  still(id: number, open: Open): boolean {
    const now = this.clock.now();
    if (now - open.checkedAt < checkEvery && now >= open.checkedAt) return true;
    open.checkedAt = now;
    const { session } = this;
    if (session.would(open.unit) !== 'deny') return true;
    const outcome = session.judge({ ...open.unit, continues: open.handle });
    session.flush();
    if (outcome.effect === 'allow') {
      session.discard(outcome.permit);
      return true;
    }
    if (outcome.effect === 'hold') outcome.withdraw();
    if (outcome.effect === 'deny') this.deny(id, outcome.denial);
    else this.send(answer.status(id, code.permissionDenied));
    return false;
  }

  mayNot(id: number, open: Open, what: string): void {
    const { session } = this;
    session.refuse('sftp', `${what} ${open.path}`, 'It was not opened for this.');
    session.flush();
    this.send(answer.status(id, code.permissionDenied, 'It was not opened for this'));
  }

  hidden(id: number, unit: number, labels: readonly string[]): void {
    const { session } = this;
    const message = `The file holds data that you may not see (${labels.join(', ')}), and a file can't be masked.`;
    session.record({ type: 'error', unit, code: 'masked', message, source: 'policy' });
    session.flush();
    this.#p.said(`${message} Ask for the right to reveal it, or print the file by a command: its output is masked.`);
    this.send(answer.status(id, code.permissionDenied, message));
  }

  deny(id: number, denial: Denial): void {
    this.#p.denied(denial);
    this.send(answer.status(id, code.permissionDenied, `${denial.reason} ${denial.hint}`));
  }

  /** A path in an answer: it may hold what must not be shown, and then there is none. */
  shownPath(id: number, path: string): Buffer {
    const shown = this.session.texts.text(path);
    return shown.masked ? answer.status(id, code.permissionDenied) : answer.pathName(id, path);
  }

  complete(open: Open): void {
    const { read, written } = open.count;
    if (open.kind === 'directory') return;
    const tag = `read ${read}, written ${written}`;
    this.session.record({ type: 'complete', unit: open.handle.seq, tag, rows: 0, bytes: 0, digest: '' });
  }

  send(packet: Buffer): void {
    if (!this.over && !this.#p.write(packet)) this.clientFull = true;
  }
}
