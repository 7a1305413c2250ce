import { Buffer } from 'node:buffer';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { PseudoTtyInfo, ServerChannel, Session as SshSession } from 'ssh2';
import { ClientSink } from './client-sink.ts';
import type { Conversation } from './conversation.ts';
import { Program } from './program.ts';
import { ClientEnvironment } from './run-context.ts';
import { signals } from './signals.ts';
import { execUnit, type Surroundings, shellUnit, type Understand } from './units.ts';
import type { Visitor } from './visitor.ts';
import { lines, shown, status, type Told, told } from './words.ts';

const termName = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/;
const mostCells = 10_000;

/** What a channel needs of those who know the parts of the protocol that are not its own. */
export interface ChannelParts {
  readonly understand: Understand;
  /** Serves file transfer on a channel to its end. */
  serveFiles(conversation: Conversation, stream: ServerChannel, closed: Promise<void>, run?: RunContext): void;
}

/**
 * One `session` channel of a client (RFC 4254 section 6): what is said about it, and then the one thing it is for: a
 * command, a shell or file transfer.
 */
export class ClientChannel {
  readonly #visitor: Visitor;
  readonly #parts: ChannelParts;
  readonly #environment = new ClientEnvironment();
  readonly #closed: Promise<void>;
  #terminal: PseudoTtyInfo | undefined;
  #program: Program | undefined;
  #gone = false;

  constructor(visitor: Visitor, channel: SshSession, parts: ChannelParts) {
    this.#visitor = visitor;
    this.#parts = parts;
    this.#closed = new Promise((resolve) => {
      channel.once('close', () => {
        this.#gone = true;
        visitor.freeChannel();
        this.#program?.leave();
        resolve();
      });
    });
    channel.on('env', (accept, reject, { key, val }) => {
      if (this.#environment.set(key, val)) accept?.();
      else this.#refuse('env', key, 'The gateway does not pass this variable on.', reject);
    });
    channel.on('pty', (accept, reject, info) => this.#pty(accept, reject, info));
    channel.on('window-change', (accept, reject, size) => {
      if (!fits(size.cols, size.rows)) {
        this.#refuse('window-change', `${size.cols}x${size.rows}`, 'No terminal has this size.', reject);
        return;
      }
      if (this.#terminal) this.#terminal = { ...this.#terminal, ...size };
      this.#program?.resize(size);
      accept?.();
    });
    channel.on('signal', (accept, reject, { name }) => {
      if (!this.#program || !signals.has(name)) {
        this.#refuse('signal', name, 'There is nothing that this signal could be for.', reject);
        return;
      }
      this.#program.signal(name);
      accept?.();
    });
    channel.on('exec', (accept, reject, { command }) => this.#exec(accept, reject, command));
    channel.on('shell', (accept) => this.#start(accept, (c) => shellUnit(c.target, this.#around())));
    channel.on('subsystem', (accept, reject, { name }) => {
      if (name === 'sftp') this.#files(accept);
      else this.#refuse('subsystem', name, 'The gateway knows no such subsystem.', reject);
    });
  }

  #pty(accept: (() => unknown) | undefined, reject: (() => unknown) | undefined, info: PseudoTtyInfo): void {
    const asked = `${info.term} ${info.cols}x${info.rows}`;
    if (!this.#visitor.parts.terminal) {
      this.#refuse('pty-req', asked, 'The certificate permits no terminal.', reject);
    } else if (!(info.term === '' || termName.test(info.term)) || !fits(info.cols, info.rows) || this.#terminal) {
      this.#refuse('pty-req', asked, 'No terminal is like this, or there is one already.', reject);
    } else {
      // A client without TERM asks for a terminal that can do nothing in particular.
      this.#terminal = { ...info, term: info.term || 'dumb' };
      accept?.();
    }
  }

  #exec(accept: () => ServerChannel | undefined, reject: (() => unknown) | undefined, command: string): void {
    // The library replaces what is not UTF-8: what would be judged is not what the client wrote.
    if (command.includes('\ufffd')) {
      this.#refuse('exec', command, 'The command is not valid UTF-8.', reject);
      return;
    }
    this.#start(accept, (c) => {
      const { statementBytes } = c.parts.ports.limits;
      if (Buffer.byteLength(command) > statementBytes) {
        c.session.refuse('exec', command.slice(0, 256), `The command is longer than ${statementBytes} bytes.`);
        return { text: lines(`The command is longer than ${statementBytes} bytes.`), status: status.refused };
      }
      try {
        return execUnit(this.#parts.understand, c.target, command, this.#around());
      } catch (error) {
        const why = told(error);
        c.session.refuse('exec', command, error instanceof Error ? error.message : String(error));
        c.session.flush();
        return why;
      }
    });
  }

  /** Accepts at once, so that there is a place to say what it waits for or why it is refused. */
  #start(
    accept: () => ServerChannel | undefined,
    plan: (c: Conversation) => ReturnType<typeof shellUnit> | Told,
  ): void {
    const stream = accept();
    if (!stream) return;
    stream.on('error', () => undefined);
    const { pace } = this.#visitor.parts;
    const waiting = new ClientSink(stream, pace);
    const say = (text: string): void => void waiting.write(shown(text, this.#terminal !== undefined), true);
    const stopNotices = this.#visitor.onNotice(say);
    const refuse = (why: Told): void => {
      say(why.text);
      waiting.finish((ended) => ended.exit(why.status));
    };
    this.#visitor.whenDecided(
      (conversation) => {
        stopNotices();
        if (this.#gone) return;
        const planned = plan(conversation);
        if ('text' in planned) {
          refuse(planned);
          return;
        }
        waiting.close();
        this.#program = new Program(conversation, stream, planned, this.#terminal);
        this.#program.run();
      },
      (error) => refuse(told(error)),
    );
  }

  #files(accept: () => ServerChannel | undefined): void {
    const stream = accept();
    if (!stream) return;
    stream.on('error', () => undefined);
    const { pace } = this.#visitor.parts;
    this.#visitor.whenDecided(
      (conversation) => {
        if (!this.#gone) this.#parts.serveFiles(conversation, stream, this.#closed, this.#environment.run);
      },
      (error) => {
        const why = told(error);
        const sink = new ClientSink(stream, pace);
        sink.write(shown(why.text, false), true);
        sink.finish((ended) => ended.exit(why.status));
      },
    );
  }

  #around(): Surroundings {
    const { run, passed } = this.#environment;
    return { environment: passed, run, ...(this.#terminal ? { terminal: this.#terminal.term } : {}) };
  }

  #refuse(name: string, text: string, reason: string, reject: (() => unknown) | undefined): void {
    this.#visitor.refuse(name, text, reason);
    reject?.();
  }
}

function fits(columns: number, rows: number): boolean {
  return columns <= mostCells && rows <= mostCells;
}
