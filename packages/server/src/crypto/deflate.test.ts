import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { budgetedDeflater, inflater } from './deflate.ts';

describe('chunks of recordings', () => {
  const never = () => 0;

  it('are deflated where that makes them smaller: texts, and programs', () => {
    for (const bytes of [
      Buffer.from('a line of a log\n'.repeat(2_000)),
      readFileSync(process.execPath).subarray(0, 32_768),
    ]) {
      const deflated = budgetedDeflater(1_000_000, never).deflate(bytes);
      expect(deflated?.length).toBeLessThan(bytes.length);
      expect(inflater.inflate(deflated ?? bytes, bytes.length)).toEqual(bytes);
    }
  });

  it('are stored as they are when they look compressed, and take nothing of the budget', () => {
    const deflater = budgetedDeflater(40_000, never);
    for (let time = 0; time < 20; time++) expect(deflater.deflate(randomBytes(32_768))).toBeUndefined();
    expect(deflater.deflate(Buffer.alloc(32_768, 'x'))).toBeDefined();
  });

  it('are stored as they are when the budget is used up, until there is more', () => {
    let now = 0;
    const deflater = budgetedDeflater(40_000, () => now);
    const text = Buffer.alloc(32_768, 'a line ');
    expect(deflater.deflate(text)).toBeDefined();
    expect(deflater.deflate(text)).toBeUndefined();
    now = 1_000;
    expect(deflater.deflate(text)).toBeDefined();
  });
});
