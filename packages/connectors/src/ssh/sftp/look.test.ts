import type { Session } from '@sluice/core/contract/session.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { look } from './look.ts';

/** A session that finds and hides the word `findme-please`, and remembers what it was given to look at. */
function finder() {
  const given: string[] = [];
  const texts = {
    text: (value: string) => {
      given.push(value);
      const masked = value.includes('findme-please');
      return { value, masked, labels: masked ? ['pii.word'] : [] };
    },
  };
  return { session: { texts } as unknown as Session, given };
}

const found = (bytes: Buffer): boolean => look(finder().session, bytes).hidden;
const word = Buffer.from('findme-please');
const wide = Buffer.from('findme-please', 'utf16le');
const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));

describe('what is looked at in a piece of a file', () => {
  it('is a word of twelve letters or more, whatever is around it', () => {
    fc.assert(
      fc.property(noise, noise, (before, behind) => {
        expect(found(Buffer.concat([before, Buffer.of(0), word, Buffer.of(0), behind]))).toBe(true);
        expect(found(Buffer.concat([before, word, behind]))).toBe(true);
      }),
    );
  });

  it('is a word in letters of two bytes, between others', () => {
    const others = Buffer.from('some words of a file that is in UTF-16, and nothing else in it', 'utf16le');
    expect(found(Buffer.concat([others, wide, others]))).toBe(true);
    expect(found(Buffer.concat([Buffer.of(0xff, 0xfe), others, wide]))).toBe(true);
  });

  it('is the runs of at least twelve letters, and all of them', () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        const { session, given } = finder();
        // What a text never holds, so that it is none, and few enough zeros.
        look(session, Buffer.concat([Buffer.of(1), bytes.map((byte) => byte || 2) as Buffer]));
        const runs = (bytes.map((byte) => byte || 2) as Buffer).toString('latin1').match(/[\t\n\r -~]{12,}/g) ?? [];
        expect(given.join('')).toBe(runs.join('\n'));
      }),
      { numRuns: 500 },
    );
  });

  it('is a text as it is, also one whose first and last characters are cut', () => {
    const text = Buffer.from('€ fünf findme-ple€ase');
    for (const piece of [text, text.subarray(1), text.subarray(2, -2)]) {
      const { session, given } = finder();
      look(session, piece);
      expect(given[0]).toContain('fünf findme-ple€a');
    }
  });

  it('is a text with controls of colour between letters, too', () => {
    expect(found(Buffer.from('a find\u001b[1mme-please'))).toBe(true);
    expect(found(Buffer.from('a find\u001b[1mme-ple\u001b[0mase'))).toBe(true);
  });

  it.each([
    ['a zero', Buffer.from('short \0 short')],
    ['a control beyond ASCII', Buffer.from('short \u0085 short')],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0x61])],
  ])('is not short runs in what holds %s', (_, bytes) => {
    const { session, given } = finder();
    look(session, bytes);
    expect(given).toEqual([]);
  });
});
