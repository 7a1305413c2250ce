import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { watchedMultipart } from './multipart.ts';

const type = 'multipart/form-data; boundary=XyZ';

async function watched(body: string, contentType = type, cuts: readonly number[] = []): Promise<string> {
  const bytes = Buffer.from(body, 'latin1');
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  async function* pieces(): AsyncIterable<Uint8Array> {
    for (const [i, from] of [0, ...at].entries()) yield bytes.subarray(from, at[i] ?? bytes.length);
  }
  const got: Uint8Array[] = [];
  for await (const piece of watchedMultipart(contentType, pieces())) got.push(piece);
  return Buffer.concat(got).toString('latin1');
}

const part = (disposition: string, content = 'x'): string =>
  `--XyZ\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
const end = '--XyZ--\r\n';

describe('a multipart body', () => {
  test.each([
    [
      'fields and a file',
      `${part('form-data; name="a"')}${part('form-data; name="f"; filename="my_method.py"')}${end}`,
    ],
    ['a name like the forbidden one', `${part('form-data; name="x_method"')}${end}`],
    ['a file that speaks of it', `${part('form-data; name="f"; filename="a"', 'name="_method"\r\n--Xy')}${end}`],
    ['a file name with escapes', `${part('form-data; name="f"; filename="a \\"b\\".txt"')}${end}`],
    ['a part without a head', `--XyZ\r\n\r\ncontent\r\n${end}`],
    ['an empty part', `${part('form-data; name="a"', '')}${end}`],
    ['a part without a name', `--XyZ\r\nContent-Type: application/json\r\n\r\n{}\r\n${end}`],
    ['no part', '--XyZ--'],
  ])('with %s goes on as it came, however it is split', async (_name, body) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
        expect(await watched(body, type, cuts)).toBe(body);
      }),
    );
  });

  test.each([
    ['the field', `${part('form-data; name="_method"', 'DELETE')}${end}`],
    ['the field in capitals', `${part('form-data; name="_METHOD"', 'DELETE')}${end}`],
    ['the field without quotes', `${part('form-data; name=_method', 'DELETE')}${end}`],
    ['the field with an escape', `${part('form-data; name="_meth\\od"', 'DELETE')}${end}`],
    ['the field percent-encoded', `${part('form-data; name="%5fmethod"', 'DELETE')}${end}`],
    ['the field in an extended form', `${part("form-data; name*=utf-8''_method", 'DELETE')}${end}`],
    ['the field in pieces', `${part('form-data; name*0="_met"; name*1="hod"', 'DELETE')}${end}`],
    ['the field as an encoded word', `${part('form-data; name="=?utf-8?q?=5Fmethod?="', 'DELETE')}${end}`],
    ['the field as a list', `${part('form-data; name="_method[]"', 'DELETE')}${end}`],
    ['two names', `${part('form-data; name="a"; name="_method"', 'DELETE')}${end}`],
    [
      'two dispositions',
      `--XyZ\r\nContent-Disposition: form-data; name="a"\r\n${part('form-data; name="b"').slice(7)}${end}`,
    ],
    ['the field behind another', `${part('form-data; name="a"')}${part('form-data; name="_method"', 'DELETE')}${end}`],
    [
      'the field in a folded line',
      `--XyZ\r\nContent-Disposition: form-data;\r\n name="_method"\r\n\r\nDELETE\r\n${end}`,
    ],
    ['lines that end otherwise', part('form-data; name="_method"', 'DELETE').replaceAll('\r\n', '\n') + end],
    ['a boundary behind a line feed alone', `${part('form-data; name="a"', 'x\n--XyZ\ny')}${end}`],
    ['a boundary within a line', `${part('form-data; name="a"', 'x--XyZ\r\ny')}${end}`],
    ['a boundary that goes on', `${part('form-data; name="a"')}--XyZabc\r\n\r\nx\r\n${end}`],
    ['something in front', `preamble\r\n${part('form-data; name="a"')}${end}`],
    ['parts behind its end', `${end}${part('form-data; name="_method"', 'DELETE')}${end}`],
    ['no end', part('form-data; name="a"')],
    ['a head without an end', `--XyZ\r\nX: ${'x'.repeat(20_000)}`],
  ])('with %s is refused, however it is split', async (_name, body) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
        await expect(watched(body, type, cuts)).rejects.toMatchObject({ code: 'bad_request' });
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary=a; BOUNDARY*=b',
    'multipart/form-data; boundary="a\\b"',
    'multipart/form-data; boundary="a b"',
    'multipart/form-data; x="; boundary=a; "; boundary=b',
  ])('under "%s" is refused', async (contentType) => {
    await expect(watched(end, contentType)).rejects.toMatchObject({ code: 'bad_request' });
  });
});
