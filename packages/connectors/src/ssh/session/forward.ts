import type { Buffer } from 'node:buffer';
import type { Allowed, Denied, Held } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { ServerChannel, ClientChannel as TargetChannel, TcpipRequestInfo } from 'ssh2';
import { refuseChannel } from '../transport/wire.ts';
import { hostOf } from './address.ts';
import { ClientSink } from './client-sink.ts';
import type { Conversation, Running } from './conversation.ts';
import { Input } from './input.ts';
import { Output } from './output.ts';
import { forwardUnit } from './units.ts';
import type { Visitor } from './visitor.ts';
import { oneLine, toldDenial } from './words.ts';

/**
 * A connection that the client asks for through the target (RFC 4254 section 7.2): an action of its own, for which there
 * is no text but where it leads. What goes through it is recorded and masked by its look, and not understood.
 */
export class Forward implements Running {
  readonly #visitor: Visitor;
  readonly #accept: () => ServerChannel | undefined;
  readonly #reject: () => void;
  #held: Held | undefined;
  #target: TargetChannel | undefined;
  #sink: ClientSink | undefined;
  #done = false;

  constructor(visitor: Visitor, accept: () => ServerChannel | undefined, reject: () => void) {
    this.#visitor = visitor;
    this.#accept = accept;
    this.#reject = reject;
  }

  ask({ destIP: said, destPort: port }: TcpipRequestInfo): void {
    const host = hostOf(said);
    if (host === undefined || port < 1 || port > 65_535) {
      this.#visitor.refuse('direct-tcpip', `${said}:${port}`, 'This is no address.');
      this.#refuse('sluice: This is no address.');
      return;
    }
    this.#visitor.whenDecided(
      (c) => this.#judge(c, host, port),
      (error) => this.#refuse(oneLine(error)),
    );
  }

  stop(): void {
    this.#held?.withdraw();
    this.#target?.close();
  }

  tell(): void {
    if (this.#done) return;
    if (this.#sink) this.#close();
    else this.#refuse('sluice: The session is over.');
  }

  #judge(c: Conversation, host: string, port: number): void {
    c.add(this);
    const outcome = c.session.judge(forwardUnit(c.target, host, port));
    c.session.flush();
    if (outcome.effect === 'hold') {
      this.#held = outcome;
      void outcome.settled.then(c.guard((settled) => this.#decided(c, settled)));
    } else this.#decided(c, outcome);
  }

  #decided(c: Conversation, outcome: Allowed | Denied): void {
    this.#held = undefined;
    if (outcome.effect === 'deny') {
      c.session.flush();
      c.remove(this);
      this.#refuse(toldDenial(outcome.denial).text.trim());
      return;
    }
    if (this.#done) {
      c.session.discard(outcome.permit);
      return;
    }
    c.session.carryOut(outcome.permit, (unit) => {
      const { host = '', port = '' } = unit.binding;
      const opened = c.guard((error: Error | undefined, target?: TargetChannel) => {
        if (target) this.#opened(c, target, outcome, unit);
        else this.#failed(c, outcome.handle.seq, error);
      });
      c.parts.upstream.forwardOut('127.0.0.1', 0, host, Number(port), opened);
    });
  }

  #failed(c: Conversation, unit: number, cause: Error | undefined): void {
    const message = 'The target did not open the connection.';
    c.parts.ports.log.info({ session: c.session.info.id, err: cause }, message);
    c.session.record({ type: 'error', unit, code: 'connect', message, source: 'upstream' });
    c.remove(this);
    this.#refuse(`sluice: ${message}`);
  }

  #opened(c: Conversation, target: TargetChannel, allowed: Allowed, unit: Unit): void {
    const stream = this.#done ? undefined : this.#accept();
    if (!stream) {
      target.close();
      return;
    }
    const { session } = c;
    const seq = allowed.handle.seq;
    const sink = new ClientSink(stream, c.parts.pace);
    this.#target = target;
    this.#sink = sink;
    stream.on('error', () => undefined);
    target.on('error', () => undefined);
    const output = new Output({ session, unit: seq, stream: 'forward', show: (bytes) => sink.write(bytes, false) });
    const resume = (): void => {
      if (session.recorderBehind) session.onRecorderReady(resume);
      else target.resume();
    };
    sink.onRoom(resume);
    target.on(
      'data',
      c.guard((bytes: Buffer) => {
        const flowing = output.push(bytes);
        if (flowing && !session.recorderBehind) return;
        target.pause();
        if (flowing) resume();
      }),
    );
    target.once(
      'close',
      c.guard(() => {
        if (this.#done) return;
        output.end();
        session.record({ type: 'complete', unit: seq, tag: 'closed', rows: 0, bytes: 0, digest: '' });
        session.flush();
        c.remove(this);
        this.#close();
      }),
    );
    const input = new Input({ session, unit, allowed, typed: false, send: (bytes) => target.write(bytes) });
    stream.on(
      'data',
      c.guard((data: Buffer) => {
        if (this.#done || !target.writable) return;
        const more = input.push(data);
        if (typeof more !== 'boolean') target.close();
        else if (!more) {
          stream.pause();
          target.once('drain', () => stream.resume());
        }
      }),
    );
    stream.once('end', () => target.end());
    stream.once('close', () => {
      this.#visitor.freeChannel();
      target.close();
    });
  }

  #refuse(words: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#visitor.freeChannel();
    refuseChannel(this.#visitor.parts.connection, this.#reject, words);
  }

  #close(): void {
    this.#done = true;
    this.#sink?.finish(() => undefined);
  }
}
