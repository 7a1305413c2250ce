import type { Session } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import * as answer from './answers.ts';
import { Desk, type SftpParts } from './desk.ts';
import { Fields, FieldsWriter } from './fields.ts';
import { HandleRequests } from './handle-requests.ts';
import { PathRequests } from './path-requests.ts';
import { homeOf } from './paths.ts';
import { code, Framer, most, SftpError, type } from './protocol.ts';
import { extensions, type Request, readRequest } from './requests.ts';
import { SftpTarget } from './target.ts';

/** Most requests that are not answered yet, and most bytes that were asked for and have not come. */
const mostOutstanding = { requests: 128, bytes: 8 * 1024 * 1024 } as const;

/** Bytes of requests that wait for their turn before no more is read. Until then the end of the client is seen, too. */
const mostWaiting = 256 * 1024;

/** What there is once the target was asked for file transfer. */
interface Started {
  readonly target: SftpTarget;
  readonly paths: PathRequests;
  readonly handles: HandleRequests;
}

/** One file transfer: reads requests, has them decided one after the other, and answers as the target does. */
export class SftpServer {
  readonly #p: SftpParts;
  readonly #session: Session;
  readonly #desk: Desk;
  readonly #framer = new Framer('client');
  readonly #inbox: Buffer[] = [];
  #started: Started | undefined;
  #waiting = 0;
  #working = false;
  #ended = false;
  #wake: () => void = () => {};

  constructor(parts: SftpParts) {
    this.#p = parts;
    this.#session = parts.session;
    const answered = () => {
      this.#wake();
      if (this.#ended) this.#work();
    };
    this.#desk = new Desk(parts, answered, (error) => this.stop(error));
  }

  /** Bytes from the client. */
  push(bytes: Buffer): void {
    if (this.#desk.over || this.#ended) return;
    try {
      for (const packet of this.#framer.push(bytes)) {
        this.#inbox.push(packet);
        this.#waiting += packet.length;
      }
      if (this.#waiting > mostWaiting) this.#p.flow(false);
    } catch (error) {
      this.stop(errorOf(error));
    }
    this.#work();
  }

  /**
   * The client says no more: what it asked is answered, and then it is over. Nobody is asked for consent any more: a
   * program that was stopped leaves its `ssh` behind, which holds the connection until we end it.
   */
  end(): void {
    this.#ended = true;
    this.#desk.giveUp();
    this.#work();
  }

  /** The client takes more again. */
  resume(): void {
    this.#desk.clientFull = false;
    this.#wake();
  }

  /** The client is gone, or the session is over. */
  stop(error?: Error): void {
    if (this.#desk.over) return;
    this.#desk.close();
    this.#inbox.length = 0;
    this.#started?.target.end();
    this.#wake();
    this.#p.over(error);
  }

  /** One request at a time until it is decided; how many wait for the target is bounded. */
  #work(): void {
    if (this.#working || this.#desk.over) return;
    this.#working = true;
    void this.#all().then(
      () => {
        this.#working = false;
        if (this.#desk.over) return;
        if (this.#inbox.length > 0) this.#work();
        else if (!this.#ended) this.#p.flow(true);
        else if (this.#desk.outstanding.requests === 0) this.stop();
      },
      (error: unknown) => this.stop(errorOf(error)),
    );
  }

  async #all(): Promise<void> {
    for (let packet = this.#inbox.shift(); packet; packet = this.#inbox.shift()) {
      this.#waiting -= packet.length;
      if (this.#started) {
        const { id, request } = readRequest(packet);
        await this.#one(this.#started, id, request);
      } else await this.#begin(packet);
      while (!this.#desk.over && this.#busy) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#session.recorderBehind) this.#session.onRecorderReady(resolve);
        });
      }
      if (this.#desk.over) return;
    }
  }

  get #busy(): boolean {
    const { clientFull, outstanding } = this.#desk;
    return (
      clientFull ||
      this.#started?.target.full === true ||
      this.#session.recorderBehind ||
      outstanding.requests >= mostOutstanding.requests ||
      outstanding.bytes >= mostOutstanding.bytes
    );
  }

  /** Draft section 4. */
  async #begin(packet: Buffer): Promise<void> {
    const fields = new Fields(packet, 'client');
    if (fields.uint8() !== type.init || fields.uint32() < 3) {
      throw new SftpError('packet', 'client', 'The client does not speak version 3 of file transfer.');
    }
    const { run } = this.#p.ground;
    const unit: Unit = {
      name: 'sftp',
      bytes: [],
      actions: [],
      labels: [],
      exposures: [],
      parameters: [],
      binding: {},
      ...(run ? { run } : {}),
    };
    const outcome = this.#session.judge(unit);
    if (outcome.effect !== 'allow') throw new SftpError('gone', 'client', 'The session does not allow it.');
    const target = new SftpTarget(await this.#session.carryOut(outcome.permit, () => this.#p.openTarget()));
    target.onDrain(() => this.#wake());
    this.#started = {
      target,
      paths: new PathRequests(this.#desk, target),
      handles: new HandleRequests(this.#desk, target),
    };
    if (this.#desk.over) {
      target.end();
      return;
    }
    const there = await target.start();
    const home = await homeOf(target);
    if (home === undefined) throw new SftpError('answer', 'upstream', 'The target does not say where it starts.');
    this.#desk.home = home;
    const offered = [...extensions].filter(
      ([name, value]) => there.get(name) === value || name === 'limits@openssh.com',
    );
    this.#desk.send(answer.version(offered));
  }

  async #one({ paths, handles }: Started, id: number, request: Request): Promise<void> {
    const desk = this.#desk;
    if (request.kind === 'unknown') {
      this.#session.refuse('sftp', request.name, 'The gateway does not know this request of file transfer.');
      this.#session.flush();
      desk.send(answer.status(id, code.unsupported));
    } else if (request.kind === 'limits') {
      const limits = [most.packet, most.read, most.packet - 1024, 64].map(BigInt);
      desk.send(answer.extendedReply(id, limits.reduce((w, each) => w.uint64(each), new FieldsWriter()).take()));
    } else if ('handle' in request) await handles.serve(id, request);
    // Where it starts is no secret of the target's: every client asks for it first.
    else if (request.kind === 'realpath' && (request.path === '' || request.path === '.')) {
      desk.send(desk.shownPath(id, desk.home));
    } else await paths.serve(id, request);
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
