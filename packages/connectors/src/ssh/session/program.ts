import type { Buffer } from 'node:buffer';
import type { Allowed, Denied, Held } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { PseudoTtyInfo, ServerChannel, ClientChannel as TargetChannel, TerminalModes } from 'ssh2';
import { sendSignal } from '../transport/wire.ts';
import { ClientSink } from './client-sink.ts';
import type { Conversation, Running } from './conversation.ts';
import { Input } from './input.ts';
import { Output } from './output.ts';
import { hasName, signalName } from './signals.ts';
import { commandOf, environmentOf, terminalOf } from './units.ts';
import { lines, shown, status, type Told, toldDenial, toldHold } from './words.ts';

/** A prompt is shown after this much quiet, milliseconds; see `StreamMasker.idle`. */
const quiet = 20;
const mostEarly = 8;

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
  readonly width: number;
  readonly height: number;
}

interface Exit {
  readonly code: number | null;
  readonly signal?: string;
  readonly dumped?: boolean;
}

/** A command or a shell: from the decision about it to its exit status. */
export class Program implements Running {
  readonly #c: Conversation;
  readonly #stream: ServerChannel;
  readonly #sink: ClientSink;
  readonly #unit: Unit;
  readonly #typed: boolean;
  readonly #modes: TerminalModes;
  /** Somebody waits for what it says: at a terminal, or because it was told something. */
  #talks: boolean;
  #size: TerminalSize | undefined;
  #held: Held | undefined;
  #target: TargetChannel | undefined;
  /** Signals for what the target has not started yet. */
  readonly #early: string[] = [];
  #exit: Exit = { code: null };
  #done = false;
  #stopQuiet: () => void = () => {};

  /** `terminal` as it was asked for, if it was. */
  constructor(c: Conversation, stream: ServerChannel, unit: Unit, terminal: PseudoTtyInfo | undefined) {
    this.#c = c;
    this.#stream = stream;
    this.#sink = new ClientSink(stream, c.parts.pace);
    this.#unit = unit;
    this.#size = terminal;
    this.#modes = terminal?.modes ?? {};
    this.#typed = terminal !== undefined || unit.name === 'shell';
    this.#talks = this.#typed;
  }

  run(): void {
    const { session } = this.#c;
    this.#c.add(this);
    const outcome = session.judge(this.#unit);
    session.flush();
    if (outcome.effect !== 'hold') {
      this.#decided(outcome);
      return;
    }
    this.#held = outcome;
    void outcome.notice.then(this.#c.guard((notice) => notice && this.#say(toldHold(notice))));
    void outcome.settled.then(this.#c.guard((settled) => this.#decided(settled)));
  }

  /** The client closed its channel: what runs or waits for it is given up. */
  leave(): void {
    if (this.#done) return;
    this.#over();
    this.stop();
    this.#end(false);
    this.#target?.close();
  }

  resize(size: TerminalSize): void {
    if (this.#size === undefined || this.#done) return;
    this.#size = size;
    this.#target?.setWindow(size.rows, size.cols, size.height, size.width);
    if (this.#target) this.#noteSize(size);
  }

  /** A signal that the client asks for, for what it runs itself. */
  signal(name: string): void {
    const { session, parts } = this.#c;
    if (this.#done) return;
    if (this.#held) this.#held.withdraw();
    if (!this.#target) {
      // It may be on its way: what is to stop it must not get lost.
      if (this.#early.length < mostEarly) this.#early.push(name);
      return;
    }
    session.record({ type: 'event', name: 'signal', detail: { unit: this.#seq, signal: name } });
    session.flush();
    sendSignal(parts.upstream, this.#target, name);
  }

  stop(): void {
    this.#held?.withdraw();
  }

  /** Ends what runs, and nothing beside it; `hard` leaves it no choice. */
  #end(hard: boolean): void {
    const target = this.#target;
    if (!target) return;
    // A server that ends a connection leaves running what had no terminal.
    for (const name of hard ? ['KILL'] : ['HUP', 'TERM']) sendSignal(this.#c.parts.upstream, target, name);
  }

  tell(told: Told): void {
    if (this.#done) return;
    this.#done = true;
    this.#stopQuiet();
    this.#say(told.text);
    this.#sink.finish((stream) => stream.exit(told.status));
  }

  #seq = -1;

  #decided(outcome: Allowed | Denied): void {
    this.#held = undefined;
    const { session } = this.#c;
    if (outcome.effect === 'deny') {
      session.flush();
      this.#refused(toldDenial(outcome.denial));
      return;
    }
    if (this.#done) {
      session.discard(outcome.permit);
      return;
    }
    this.#seq = outcome.handle.seq;
    try {
      session.carryOut(outcome.permit, (unit) => this.#begin(unit, outcome));
    } catch (cause) {
      if (cause instanceof CoreError) throw cause;
      this.#c.close('upstream_closed', lost(cause));
    }
  }

  #begin(unit: Unit, allowed: Allowed): void {
    const { upstream } = this.#c.parts;
    const env = environmentOf(unit);
    const term = terminalOf(unit);
    const pty =
      term === undefined || this.#size === undefined ? undefined : { ...this.#size, modes: this.#modes, term };
    const started = this.#c.guard((error: Error | undefined, target?: TargetChannel) =>
      target ? this.#started(target, unit, allowed) : this.#notStarted(error),
    );
    if (unit.name === 'shell') upstream.shell(pty ?? false, { env }, started);
    else upstream.exec(commandOf(unit), pty ? { env, pty } : { env }, started);
  }

  #notStarted(cause: Error | undefined): void {
    const { session, parts } = this.#c;
    parts.ports.log.info({ session: session.info.id, err: cause }, 'the target did not start it');
    const message = 'The target did not start it.';
    session.record({ type: 'error', unit: this.#seq, code: 'start', message, source: 'upstream' });
    session.flush();
    this.#refused({ text: lines(message), status: status.failed });
  }

  #started(target: TargetChannel, unit: Unit, allowed: Allowed): void {
    const { session } = this.#c;
    this.#target = target;
    target.on('error', () => undefined);
    if (this.#done) {
      this.#end(false);
      target.close();
      return;
    }
    if (this.#size) this.#noteSize(this.#size);
    for (const name of this.#early.splice(0)) this.signal(name);
    const outputs = this.#pipeOut(target);
    const input = new Input({ session, unit, allowed, typed: this.#typed, send: (bytes) => target.write(bytes) });
    this.#stream.on(
      'data',
      this.#c.guard((data: Buffer) => {
        this.#typedOrSent(target, input, data);
        // Whoever talks with what runs waits for its answers, like a person at a terminal.
        this.#talks = true;
        outputs();
      }),
    );
    this.#stream.on('end', () => target.end());
  }

  #typedOrSent(target: TargetChannel, input: Input, data: Buffer): void {
    if (this.#done || !target.writable) return;
    const more = input.push(data);
    if (typeof more !== 'boolean') {
      this.#end(true);
      target.close();
      this.#refused(toldDenial(more));
    } else if (!more) {
      this.#stream.pause();
      target.once('drain', () => this.#stream.resume());
    }
  }

  /** The function it returns lets out, after a moment, what is held back for somebody who waits. */
  #pipeOut(target: TargetChannel): () => void {
    const { session } = this.#c;
    const place = (stream: string, error: boolean) =>
      new Output({
        session,
        unit: this.#seq,
        ...(this.#typed ? {} : { stream }),
        show: (bytes) => this.#sink.write(bytes, error),
      });
    const flows = [
      { output: place('stdout', false), from: target },
      { output: place('stderr', true), from: target.stderr },
    ];
    const resume = (): void => {
      if (session.recorderBehind) session.onRecorderReady(resume);
      else for (const { from } of flows) from.resume();
    };
    this.#sink.onRoom(resume);
    // Both streams and the channel itself: the library says so in any order.
    let open = flows.length + 1;
    const ended = this.#c.guard(() => {
      if (--open === 0) this.#ended(flows.map(({ output }) => output));
    });
    const wait = (flowing: boolean): void => {
      if (flowing && !session.recorderBehind) return;
      for (const { from } of flows) from.pause();
      if (flowing) session.onRecorderReady(resume);
    };
    const letOut = (): void => this.#whenQuiet(() => flows.forEach(({ output }) => void wait(output.idle())));
    for (const { output, from } of flows) {
      from.on(
        'data',
        this.#c.guard((bytes: Buffer) => {
          if (this.#done) return;
          wait(output.push(bytes));
          if (this.#talks) letOut();
        }),
      );
      from.once('end', ended);
    }
    target.once('exit', (code: number | null, signal?: string, dumped?: unknown) => {
      this.#exit = { code, ...(signal === undefined ? {} : { signal: signalName(signal), dumped: dumped === true }) };
    });
    target.once('close', ended);
    return letOut;
  }

  #whenQuiet(act: () => void): void {
    this.#stopQuiet();
    this.#stopQuiet = this.#c.parts.ports.clock.after(
      quiet,
      this.#c.guard(() => this.#done || act()),
    );
  }

  #ended(outputs: readonly Output[]): void {
    if (this.#done) return;
    const { session } = this.#c;
    this.#stopQuiet();
    for (const output of outputs) output.end();
    const { code, signal } = this.#exit;
    const unit = this.#seq;
    if (signal !== undefined || code !== 0) {
      const message = signal !== undefined ? `ended by signal ${signal}` : `exit status ${code ?? 'unknown'}`;
      session.record({ type: 'error', unit, code: signal ?? String(code ?? ''), message, source: 'upstream' });
    }
    session.record({ type: 'complete', unit, tag: signal ?? `exit ${code ?? '?'}`, rows: 0, bytes: 0, digest: '' });
    session.flush();
    this.#over();
    this.#sink.finish((stream) => exitLike(stream, this.#exit));
  }

  #refused(told: Told): void {
    if (this.#done) return;
    this.#over();
    this.#say(told.text);
    this.#sink.finish((stream) => stream.exit(told.status));
  }

  #over(): void {
    this.#done = true;
    this.#stopQuiet();
    this.#c.remove(this);
  }

  #say(text: string): void {
    this.#sink.write(shown(text, this.#size !== undefined), true);
  }

  #noteSize({ cols, rows }: TerminalSize): void {
    this.#c.session.record({ type: 'resize', unit: this.#seq, columns: cols, rows });
  }
}

/**
 * As the target said it (RFC 4254 section 6.10); one that says nothing leaves the client to its own conclusion, and so
 * does a signal that the RFC has no name for: the library throws for it, whenever it comes to be sent.
 */
function exitLike(stream: ServerChannel, { code, signal, dumped }: Exit): void {
  if (signal !== undefined && hasName(signal)) stream.exit(signal, dumped ?? false, '');
  else if (signal === undefined && code !== null) stream.exit(code);
}

function lost(cause: unknown): CoreError {
  return new CoreError('upstream_unreachable', 'upstream', 'The target closed the connection.', { cause });
}
