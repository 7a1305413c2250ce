import type { Socket } from 'node:net';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import { describe, expect, test } from 'vitest';
import { Channel } from './channel.ts';
import { ends } from './testing/ends.ts';

type Adding = {
  readonly add: (a: number, b: number) => Promise<number>;
  readonly note: (text: string) => void;
  readonly fail: (how: string) => Promise<never>;
};

const errors: object[] = [];
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (fields: object) => void errors.push(fields) };

function joined() {
  const both = ends();
  const notes: string[] = [];
  const asking = new Channel<Adding, Record<string, never>>(both.near, log);
  const answering = new Channel<Record<string, never>, Adding>(both.far, log);
  answering.serve({
    add: async (a, b) => {
      notes.push(`${a}+${b}`);
      return a + b;
    },
    note: (text) => {
      if (text === 'bad') throw new Error('not noted');
      notes.push(text);
    },
    fail: async (how) => {
      if (how === 'core')
        throw new CoreError('denied', 'policy', 'No.', { detail: 'for the log', cause: new Error('why') });
      if (how === 'other') throw new SluiceError('too_many_pending', 'client', 'Too many.');
      throw new TypeError('unforeseen');
    },
  });
  return { asking, notes, close: both.close };
}

describe('a channel between two processes', () => {
  test('answers each call with its own answer, and keeps the order of what was told and asked', async () => {
    const { asking, notes } = joined();
    asking.post('note', 'first');
    const sums = [asking.call('add', 1, 2), asking.call('add', 3, 4)];
    asking.post('note', 'last');
    expect(await Promise.all(sums)).toEqual([3, 7]);
    await asking.call('add', 0, 0);
    expect(notes).toEqual(['first', '1+2', '3+4', 'last', '0+0']);
  });

  test('brings errors back as what they are, with the text that may be shown', async () => {
    const { asking } = joined();
    const core = await asking.call('fail', 'core').catch((error) => error);
    expect(core).toBeInstanceOf(CoreError);
    expect(core).toMatchObject({ code: 'denied', source: 'policy', publicMessage: 'No.', message: 'for the log' });
    const other = await asking.call('fail', 'other').catch((error) => error);
    expect(other).toBeInstanceOf(SluiceError);
    expect(other).not.toBeInstanceOf(CoreError);
    expect(other).toMatchObject({ code: 'too_many_pending', publicMessage: 'Too many.' });
    const unforeseen = await asking.call('fail', '').catch((error) => error);
    expect(unforeseen).not.toBeInstanceOf(SluiceError);
    expect(unforeseen).toMatchObject({ message: 'unforeseen' });
  });

  test.each(['answer', 'toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'does nothing by a name that is not served: %s',
    async (name) => {
      const { asking } = joined();
      await expect(asking.call(name as 'add', 1, 2)).rejects.toThrow(`nothing is called ${name} here`);
    },
  );

  test('logs at the other side what was told and could not be taken', async () => {
    const { asking } = joined();
    errors.length = 0;
    asking.post('note', 'bad');
    await asking.call('add', 1, 1);
    expect(errors).toMatchObject([{ what: 'note', err: { message: 'not noted' } }]);
  });

  test('that closes leaves nobody waiting, and takes nothing more', async () => {
    const { asking, notes, close } = joined();
    const waiting = asking.call('add', 1, 2);
    close();
    await expect(waiting).rejects.toMatchObject({ code: 'stopping' });
    await expect(asking.call('add', 1, 2)).rejects.toMatchObject({ code: 'stopping' });
    asking.post('note', 'late');
    let destroyed = false;
    asking.hand('any', {
      destroy: () => {
        destroyed = true;
      },
    } as unknown as Socket);
    expect(destroyed).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(notes).not.toContain('late');
  });
});
