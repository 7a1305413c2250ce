import { describe, expect, it } from 'vitest';
import type { CellMasker } from '../contract/labels.ts';
import { createTextMaskers } from './text-maskers.ts';

const masker: CellMasker = { mask: (labels) => `<${labels.join()}>`, hide: () => null };
const at = (path: readonly string[]): readonly string[] => (path.at(-1) === 'email' ? ['pii.own'] : []);

describe('labels that somebody put on a path', () => {
  const texts = createTextMaskers(
    masker,
    () => true,
    (label) => label === 'pii.email',
  );

  it('are hidden there, whether or not anything is looked for by that name', () => {
    expect(texts.json({ email: 'nothing to see' }, at).value).toEqual({ email: '<pii.own>' });
    expect(texts.jsonText('{"email":"nothing to see"}', at).value).toBe('{"email":"<pii.own>"}');
  });

  it('leave what is found by its look to what is looked for', () => {
    const { value } = texts.json({ other: 'ada@example.com', card: '4111 1111 1111 1111' }, at);
    expect(JSON.stringify(value)).not.toContain('ada@example.com');
    expect(JSON.stringify(value)).toContain('4111 1111 1111 1111');
    expect(texts.text('4111 1111 1111 1111').masked).toBe(false);
  });
});
