import type { UpstreamSocket } from '@sluice/core/contract/link.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { StdioPeer } from './peer-stdio.ts';

const utf8 = new TextEncoder();

/** A program that reads when it is told to. */
class Program {
  readonly got: string[] = [];
  reads = true;
  paused = false;
  say: (chunk: Uint8Array) => void = () => {};
  drain: () => void = () => {};
  readonly socket = {
    onData: (callback: (chunk: Uint8Array) => void) => {
      this.say = callback;
    },
    onDrain: (callback: () => void) => {
      this.drain = callback;
    },
    onClose: () => {},
    write: (bytes: Uint8Array) => {
      this.got.push(Buffer.from(bytes).toString());
      return this.reads;
    },
    pause: () => {
      this.paused = true;
    },
    resume: () => {
      this.paused = false;
    },
    end: () => {},
    destroy: () => {},
  } as unknown as UpstreamSocket;

  readOn(): void {
    this.reads = true;
    this.drain();
  }
}

const body = utf8.encode('{"method":"tools/call","params":{"name":"a"}}');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a program that does not read what it is sent', () => {
  let program: Program;
  let peer: StdioPeer;

  beforeEach(() => {
    program = new Program();
    program.reads = false;
    peer = new StdioPeer({
      socket: program.socket,
      most: 10_000,
      parse: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
      events: {
        onNotification: () => undefined,
        onRequest: ({ id }) => ({ kind: 'error', id, error: { code: -32601, message: 'Method not found' } }),
        onNonsense: () => {},
        onLost: () => {},
      },
    });
  });

  const ask = (signal = new AbortController().signal) =>
    peer.request(body, { signal, progress: false, onNotification: () => undefined }).catch((error) => error);

  it('is not sent more until it does', async () => {
    ask();
    await turn();
    ask();
    await turn();
    expect(program.got).toHaveLength(1);
    program.readOn();
    await turn();
    expect(program.got).toHaveLength(2);
  });

  it('never gets what was given up in the meantime', async () => {
    ask();
    await turn();
    for (let n = 0; n < 100; n++) {
      const abort = new AbortController();
      const answer = ask(abort.signal);
      await turn();
      abort.abort();
      expect(await answer).toMatchObject({ code: 'session_over' });
    }
    program.readOn();
    await turn();
    expect(program.got).toHaveLength(1);
  });

  it('is not listened to while it asks more than it reads answers', async () => {
    const question = utf8.encode('{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}\n'.repeat(100));
    program.say(question);
    await turn();
    expect(program.got).toHaveLength(1);
    expect(program.paused).toBe(true);
    program.readOn();
    await turn();
    expect(program.got).toHaveLength(100);
    expect(program.paused).toBe(false);
  });

  it('lets nobody wait once the session is over', async () => {
    ask();
    await turn();
    const answer = ask();
    await turn();
    peer.close();
    expect(await answer).toMatchObject({ code: 'session_over' });
    expect(program.got).toHaveLength(1);
  });
});
