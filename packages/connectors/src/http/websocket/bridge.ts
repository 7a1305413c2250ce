import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { Alarm } from '../../wire/http/signal.ts';
import type { JudgedPath } from '../request/path.ts';
import { isStructuredMessage, maskMessage } from '../response/body-masker.ts';
import { opaqueUnit } from '../response/opaque.ts';
import type { Conversation } from '../session/conversation.ts';
import { closeFrame, type Message, MessageReader, writeFrame } from './frames.ts';

export interface Bridged {
  readonly conversation: Conversation;
  readonly unit: Unit;
  readonly handle: UnitHandle;
  readonly client: Duplex;
  readonly target: Duplex;
  readonly path: JudgedPath;
}

/** Longest message; bytes. */
const longest = 1024 * 1024;

/** Passes messages both ways until one side, or the session, is over. Resolves when it is. */
export async function bridge(bridged: Bridged): Promise<void> {
  const { client, target, conversation, handle } = bridged;
  const relay = new Relay(bridged);
  const stop = (): void => relay.over(1001, reasonOf(conversation.over.reason));
  if (conversation.over.aborted) stop();
  conversation.over.addEventListener('abort', stop);
  for (const stream of [client, target]) stream.on('error', () => {});
  await Promise.all([relay.fromClient(), relay.fromTarget()]);
  conversation.over.removeEventListener('abort', stop);
  conversation.session.record({ type: 'complete', unit: handle.seq, tag: 'closed', rows: 0, bytes: 0, digest: '' });
}

class Relay {
  readonly #b: Bridged;
  #over = false;
  #opaque: Promise<boolean> | undefined;
  #before: Uint8Array = new Uint8Array(0);

  constructor(bridged: Bridged) {
    this.#b = bridged;
  }

  async fromClient(): Promise<void> {
    await this.#pump(this.#b.client, new MessageReader('client', longest), async (message) => {
      if (message.kind === 'ping') return write(this.#b.client, writeFrame('pong', message.data));
      if (message.kind === 'text' || message.kind === 'binary') return this.#toTarget(message.kind, message.data);
      if (message.kind === 'close') {
        // What is said on leaving is said to the target, too: decided and recorded like a message.
        const data = Buffer.from(message.reason);
        if (data.length > 0) this.#judged(data, (said) => this.over(message.code, Buffer.from(said).toString('utf8')));
        else this.over(message.code, '');
      }
    });
  }

  async fromTarget(): Promise<void> {
    await this.#pump(this.#b.target, new MessageReader('target', longest), async (message) => {
      if (message.kind === 'ping') return write(this.#b.target, writeFrame('pong', message.data, randomBytes(4)));
      if (message.kind === 'text' || message.kind === 'binary') return this.#toClient(message.kind, message.data);
      if (message.kind === 'close') this.over(message.code, this.#shownReason(message.reason));
    });
  }

  #shownReason(reason: string): string {
    const { guard, session } = this.#b.conversation;
    return session.texts.text(guard.whole(Buffer.from(reason)).toString('utf8')).value;
  }

  /** Says goodbye to both sides; the first reason counts. */
  over(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const { client, target } = this.#b;
    if (!client.destroyed) client.end(closeFrame(code, reason));
    if (!target.destroyed) target.end(closeFrame(code, reason, randomBytes(4)));
    // Whoever does not close in turn is not waited for.
    for (const stream of [client, target]) {
      const timer = setTimeout(() => stream.destroy(), 2_000);
      timer.unref();
      stream.once('close', () => clearTimeout(timer));
      stream.resume();
    }
  }

  async #pump(
    stream: Duplex,
    reader: MessageReader,
    take: (message: Message) => Promise<void> | undefined,
  ): Promise<void> {
    try {
      // Left alone on an error, it can still be told why.
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        if (this.#over) continue;
        for (const message of reader.push(chunk)) if (!this.#over) await take(message);
      }
      this.over(1001, '');
    } catch (error) {
      this.#failed(error);
    }
  }

  async #toTarget(kind: 'text' | 'binary', data: Buffer): Promise<void> {
    if (kind === 'binary') await this.#leave();
    await this.#judged(data, (said) => write(this.#b.target, writeFrame(kind, said, randomBytes(4))));
  }

  /** Decides and records what the client says, and only then does with it what is to be done. */
  #judged<T>(data: Buffer, act: (said: Uint8Array) => T): T {
    const { session } = this.#b.conversation;
    const { unit, handle } = this.#b;
    const outcome = session.judge({
      ...unit,
      name: 'message',
      bytes: [],
      content: { data, before: this.#before },
      continues: handle,
    });
    if (outcome.effect !== 'allow') {
      if (outcome.effect === 'hold') outcome.withdraw();
      const reason = outcome.effect === 'deny' ? outcome.denial.reason : 'Policy changed.';
      throw new HttpError('bad_request', reason);
    }
    this.#before = data.subarray(-1024);
    return session.carryOut(outcome.permit, ({ content }) => act(content?.data ?? new Uint8Array(0)));
  }

  async #toClient(kind: 'text' | 'binary', sent: Buffer): Promise<void> {
    const data = this.#b.conversation.guard.whole(sent);
    const { conversation, handle, path, client } = this.#b;
    const { session } = conversation;
    const text = kind === 'text' ? data.toString('utf8') : undefined;
    const labelled = conversation.labelled();
    if (text === undefined || (labelled && !isStructuredMessage(text))) await this.#leave();
    const masked =
      text === undefined ? undefined : maskMessage(text, session.texts, conversation.labelsAt(path.segments), false);
    const shown = masked ? Buffer.from(masked.value) : data;
    if (masked) {
      const hidden = session.hides(masked.labels);
      session.sawLabels(masked.labels.filter((label) => !hidden.includes(label)));
    }
    session.record({ type: 'output', unit: handle.seq, stream: 'messages', data: shown });
    await conversation.recorderReady();
    await write(client, writeFrame(kind, shown));
  }

  /** Policy is asked once whether messages may pass that nothing can be read of. */
  async #leave(): Promise<void> {
    const { conversation, unit } = this.#b;
    this.#opaque ??= conversation.decide(opaqueUnit(unit, 'application/octet-stream'), new Alarm()).then((outcome) => {
      if (outcome.effect === 'allow') conversation.session.discard(outcome.permit);
      return outcome.effect === 'allow';
    });
    if (!(await this.#opaque))
      throw new HttpError('bad_request', 'Policy lets no messages through that nothing can be masked in.');
  }

  #failed(error: unknown): void {
    const { conversation, handle } = this.#b;
    const known = error instanceof SluiceError ? error : undefined;
    if (known && !this.#over) {
      conversation.session.record({
        type: 'error',
        unit: handle.seq,
        code: known.code,
        message: known.publicMessage,
        source: known.source,
      });
    }
    const tooLarge = known?.code === 'body_too_large' || known?.code === 'response_too_large';
    // Without an error of ours, the connection broke.
    this.over(tooLarge ? 1009 : known ? 1008 : 1011, known?.publicMessage ?? '');
  }
}

function reasonOf(reason: unknown): string {
  return reason instanceof SluiceError ? reason.publicMessage : '';
}

function write(stream: Duplex, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const on = (): void => {
      stream.off('drain', on);
      stream.off('close', on);
      resolve();
    };
    stream.once('drain', on);
    stream.once('close', on);
  });
}
