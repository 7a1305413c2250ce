import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonErrorCode, type JsonLimits, parseStrictJson, serializeJson } from './strict-json.ts';

const limits: JsonLimits = { bytes: 1_000_000 };

function codeOf(source: Uint8Array | string, more: Partial<JsonLimits> = {}): JsonErrorCode | undefined {
  try {
    parseStrictJson(source, { ...limits, ...more });
  } catch (error) {
    return (error as { code: JsonErrorCode }).code;
  }
  return undefined;
}

describe('strict JSON', () => {
  test('reads whatever the platform writes, to the same value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        let exact = true;
        const inexact = (): void => {
          exact = false;
        };
        const value = parseStrictJson(text, { ...limits, inexact, loneSurrogates: 'keep' });
        if (!exact) return;
        const same = JSON.parse(text);
        // -0 is written as 0.
        expect(JSON.parse(serializeJson(value))).toEqual(JSON.parse(JSON.stringify(same)));
      }),
    );
  });

  test('reads nothing that the platform does not', () => {
    const piece = fc.constantFrom(
      ...'{}[]",:\\0123456789.eE+-tfnu /\n\u0000\u001f\u2028aé'.split(''),
      'true',
      'null',
      '"a"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let known: unknown;
        let good = true;
        try {
          known = JSON.parse(text);
        } catch {
          good = false;
        }
        const code = codeOf(text, { inexact: () => {} });
        if (!good) expect(code).toBeDefined();
        else if (code === undefined && codeOf(text) === undefined) expect(parseStrictJson(text, limits)).toEqual(known);
        else expect([undefined, 'duplicate_member', 'encoding']).toContain(code);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, string | Uint8Array, JsonErrorCode]>([
    ['a member twice', '{"a":1,"a":1}', 'duplicate_member'],
    ['a member twice, once escaped', '{"a":1,"\\u0061":2}', 'duplicate_member'],
    ['a member twice, deep', '[{"x":[{"b":1,"c":2,"b":3}]}]', 'duplicate_member'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_member'],
    ['a byte order mark', Buffer.from('\ufeff{}'), 'syntax'],
    ['a byte order mark in a text', '\ufeff{}', 'syntax'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'encoding'],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'encoding'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'syntax'],
    ['half of a surrogate pair', '"\\ud800"', 'encoding'],
    ['a surrogate pair in the wrong order', '"\\udc00\\ud800"', 'encoding'],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'encoding'],
    ['two documents', '{}{}', 'syntax'],
    ['nothing', '', 'syntax'],
    ['white space alone', ' \n', 'syntax'],
    ['a comment', '{/**/}', 'syntax'],
    ['a trailing comma', '[1,]', 'syntax'],
    ['a missing value', '[,1]', 'syntax'],
    ['single quotes', "{'a':1}", 'syntax'],
    ['a bare name', '{a:1}', 'syntax'],
    ['a leading zero', '01', 'syntax'],
    ['a leading plus', '+1', 'syntax'],
    ['NaN', 'NaN', 'syntax'],
    ['a hexadecimal number', '0x10', 'syntax'],
    ['a fraction without digits', '1.', 'syntax'],
    ['a line end in a string', '"a\nb"', 'syntax'],
    ['a NUL in a string', '"a\u0000b"', 'syntax'],
    ['an unknown escape', '"\\x41"', 'syntax'],
    ['a short escape', '"\\u12"', 'syntax'],
    ['no-break space between tokens', '[\u00a01]', 'syntax'],
    ['an open string', '"abc', 'syntax'],
    ['a number beyond 2^53', '9007199254740993', 'number'],
    ['a number beyond all', '1e400', 'number'],
    ['a number too small to be told from 0', '1e-400', 'number'],
    ['a number with more digits than a double', '0.1000000000000000055', 'number'],
    ['a large number with a fraction of nothing', '9007199254740993.00', 'number'],
    ['too many levels', '['.repeat(65) + ']'.repeat(65), 'too_deep'],
    ['a million open brackets', '['.repeat(999_999), 'too_deep'],
    ['a million open objects', '{"a":'.repeat(190_000), 'too_deep'],
    ['too many bytes', `"${'x'.repeat(1_000_000)}"`, 'too_large'],
  ])('refuses %s', (_name, source, code) => {
    expect(codeOf(source)).toBe(code);
  });

  test('says where, and nothing of what', () => {
    try {
      parseStrictJson('{"secret": hunter2}', limits);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ position: 11 });
      expect(String((error as { publicMessage: string }).publicMessage)).not.toContain('hunter');
    }
  });

  test('takes names that objects have anyway for names', () => {
    const value = parseStrictJson('{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3}', limits);
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(serializeJson(value)).toBe('{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3}');
  });

  test('keeps the digits of numbers that a double would change, where they are wanted', () => {
    const found: [string, string][] = [];
    const value = parseStrictJson('{"id":[1,12345678901234567890],"big":-1E+999}', {
      ...limits,
      inexact: (path, digits) => found.push([path.join('/'), digits]),
    });
    expect(value).toEqual({ id: [1, '12345678901234567890'], big: '-1E+999' });
    expect(found).toEqual([
      ['id/1', '12345678901234567890'],
      ['big', '-1E+999'],
    ]);
  });

  test('counts values', () => {
    expect(codeOf('[1,2,3]', { values: 4 })).toBeUndefined();
    expect(codeOf('[1,2,3,4]', { values: 4 })).toBe('too_large');
  });

  test('takes the depth that it is told', () => {
    expect(codeOf('[[1]]', { depth: 2 })).toBeUndefined();
    expect(codeOf('[[[1]]]', { depth: 2 })).toBe('too_deep');
  });
});
