import type { Link } from '@sluice/core/contract/link.ts';
import { describe, expect, test } from 'vitest';
import { MessageReader } from './message-reader.ts';

const password = Buffer.from('p\0\0\0\x06x\0', 'latin1');

function reading(maxMessage: number): { reader: MessageReader; arrive: (bytes: Uint8Array) => void } {
  let arrive: (bytes: Uint8Array) => void = () => {};
  const link = {
    onData: (callback: typeof arrive) => {
      arrive = callback;
    },
    onClose: () => {},
  } as unknown as Link;
  const reader = new MessageReader(link, 'client', maxMessage);
  return { reader, arrive: (bytes) => arrive(bytes) };
}

describe('a flood while somebody logs in', () => {
  test('is an error of whoever reads next, and never of the socket', async () => {
    const { reader, arrive } = reading(16);
    const waiting = reader.message();
    expect(() => arrive(Buffer.alloc(100))).not.toThrow();
    await expect(waiting).rejects.toMatchObject({ code: 'client_protocol' });
    expect(() => arrive(Buffer.alloc(1_000_000))).not.toThrow();
    expect(reader.buffered).toBe(0);
    await expect(reader.message()).rejects.toMatchObject({ code: 'client_protocol' });
  });

  test('lets nobody go on in the middle of what was dropped', async () => {
    const { reader, arrive } = reading(16);
    arrive(password);
    expect((await reader.message()).frame).toEqual(password);
    // Nobody reads: the login waits for consent, or for the target.
    arrive(Buffer.alloc(100));
    await reader.gone;
    expect(() => reader.leave()).toThrow();
  });

  test('is none as long as it fits', async () => {
    const { reader, arrive } = reading(16);
    arrive(Buffer.concat([password, password]));
    expect((await reader.message()).frame).toEqual(password);
    expect(reader.leave()).toEqual(password);
  });
});
