import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from './api-error.ts';
import { jsonLinesOf } from './json-lines.ts';

async function read(bytes: Uint8Array, cuts: readonly number[] = []): Promise<unknown[]> {
  const sorted = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const to of [...sorted, bytes.length]) {
    chunks.push(bytes.subarray(from, to));
    from = to;
  }
  const items: unknown[] = [];
  for await (const item of jsonLinesOf(
    (async function* () {
      yield* chunks;
    })(),
  )) {
    items.push(item);
  }
  return items;
}

const encoder = new TextEncoder();

describe('JSON Lines', () => {
  it('give the same objects however the bytes are cut', async () => {
    const objects = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(objects, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), async (items, cuts, ended) => {
        const text = items.map((item) => JSON.stringify(item)).join('\n') + (ended ? '\n' : '');
        const expected = items.map((item) => JSON.parse(JSON.stringify(item)));
        expect(await read(encoder.encode(text), cuts)).toEqual(expected);
      }),
    );
  });

  it('never fail otherwise than with an ApiError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.array(fc.nat(), { maxLength: 5 }), async (bytes, cuts) => {
        await read(bytes, cuts).catch((error: unknown) => expect(error).toBeInstanceOf(ApiError));
      }),
    );
  });

  it.each([['[1]'], ['null'], ['"a"'], ['{'], ['{} {}']])('refuse %s', async (line) => {
    await expect(read(encoder.encode(`${line}\n`))).rejects.toMatchObject({ code: 'bad_answer' });
  });
});
