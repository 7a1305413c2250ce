import { describe, expect, test } from 'vitest';
import { readRunContext } from './run-context.ts';

describe('claims in a comment', () => {
  test.each([
    [
      "select 1 /* run='r1',step='2',tool_call='t',intent='look%20up' */",
      { run: 'r1', step: '2', toolCall: 't', intent: 'look up' },
    ],
    ["select 1 /* run='it\\'s' */;", { run: "it's" }],
    ["select 1 /* run='100%' */", { run: '100%' }],
    ["select 1 /* constructor='x',__proto__='y',other='z' */", undefined],
    ["/* run='x' */ select 1", undefined],
    ['select 1', undefined],
  ])('of %s', (text, claims) => {
    expect(readRunContext(text)).toEqual(claims);
  });

  test('are cut, and hold nothing that a store or an encoding would refuse', () => {
    expect(readRunContext(`select 1 /* run='${'x'.repeat(511)}${encodeURIComponent('😀')}' */`)?.run).toBe(
      `${'x'.repeat(511)}\ufffd`,
    );
    expect(readRunContext("select 1 /* run='a%00b' */")?.run).toBe('a\ufffdb');
  });

  test('take no time worth speaking of, however long the comment is', () => {
    // Quadratic ways through these would keep this test, and every session of a gateway, for minutes.
    for (const part of ['a', 'a_', "a='\\", "run='x',", "='"]) {
      readRunContext(`select 1 /*${part.repeat(1_000_000)}*/`);
    }
  });
});
