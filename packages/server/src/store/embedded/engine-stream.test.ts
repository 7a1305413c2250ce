import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../store-error.ts';
import { EngineStream } from './engine-stream.ts';

function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function startup(body: Uint8Array): Buffer {
  const packet = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]), body]);
  packet.writeInt32BE(packet.length, 0);
  return packet;
}

/** An engine that notes each batch and answers with its number. */
async function stream() {
  const batches: string[] = [];
  let lose: (error: StoreError) => void = () => {};
  const link = new EngineStream(async () => ({
    execute: async (batch) => {
      batches.push(Buffer.from(batch).toString('latin1'));
      return Buffer.from([batches.length]);
    },
    whenLost: (callback) => {
      lose = callback;
    },
  }));
  link.on('data', () => {});
  link.connect();
  await once(link, 'connect');
  const reset = batches.splice(0);
  return { link, batches, reset, lose: (error: StoreError) => lose(error) };
}

const body = fc.uint8Array({ maxLength: 12 });
const messages = fc.array(
  fc.tuple(fc.constantFrom('P', 'B', 'D', 'E', 'C', 'H', 'S', 'Q'), body).map(([type, bytes]) => message(type, bytes)),
  { maxLength: 12 },
);

describe('the stream between driver and engine', () => {
  it('clears the session of what was before', async () => {
    const { reset } = await stream();
    expect(reset.map((batch) => batch.slice(5, -1))).toEqual(['rollback', 'discard all']);
  });

  it('gives the engine the same batches however the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(body, messages, fc.array(fc.nat({ max: 40 })), async (first, frames, cuts) => {
        const { link, batches } = await stream();
        const expected: string[] = [startup(first).toString('latin1')];
        let open = '';
        for (const frame of frames) {
          open += frame.toString('latin1');
          if (frame[0] === 0x53 || frame[0] === 0x51) {
            expected.push(open);
            open = '';
          }
        }
        let rest = Buffer.concat([startup(first), ...frames]);
        for (const cut of cuts) {
          // The driver writes over its buffer once it was taken.
          const chunk = Buffer.from(rest.subarray(0, cut));
          await new Promise((taken) => link.write(chunk, taken));
          chunk.fill(0xff);
          rest = rest.subarray(cut);
        }
        await new Promise((taken) => link.write(rest, taken));
        expect(batches).toEqual(expected);
        link.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it('ends on a length that can only be wrong, and never hangs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -0x80000000, max: 3 }), async (length) => {
        const { link } = await stream();
        link.write(startup(new Uint8Array()));
        const wrong = message('P', new Uint8Array(8));
        wrong.writeInt32BE(length, 1);
        const failed = once(link, 'error');
        link.write(wrong);
        expect(String((await failed)[0])).toContain('too small');
      }),
      { numRuns: 50 },
    );
  });

  it('ends with the engine, also while nothing is asked', async () => {
    const { link, lose } = await stream();
    const failed = once(link, 'error');
    lose(new StoreError('store_lost', 'gave up'));
    expect(String((await failed)[0])).toContain('gave up');
  });

  it('hands the end of the engine on as an error of the connection', async () => {
    const link = new EngineStream(async () => {
      throw new Error('no engine');
    });
    link.connect();
    expect(String((await once(link, 'error'))[0])).toContain('no engine');
  });
});
