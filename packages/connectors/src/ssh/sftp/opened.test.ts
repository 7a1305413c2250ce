import { expect, test } from 'vitest';
import { type Attributes, Fields } from './fields.ts';
import { onlyAsJudged } from './opened.ts';
import { type } from './protocol.ts';
import type { Answer, SftpTarget } from './target.ts';

const handle = Buffer.from('h');
const file: Attributes = {
  size: 10n,
  owner: { uid: 1, gid: 1 },
  mode: 0o100600,
  times: { accessed: 5, modified: 5 },
};
const directory: Attributes = { ...file, mode: 0o040755 };

/** A target that has `/in/f`, with something open: what it says about either, in turn. */
function target(open: readonly Attributes[], there: readonly Attributes[], link?: string) {
  const closed: string[] = [];
  const [opens, theres] = [[...open], [...there]];
  const next = (of: Attributes[]): Attributes => (of.length > 1 ? of.shift() : of[0]) ?? {};
  const answer = (kind: number, fields: Fields): Answer => {
    if (kind === type.close) {
      closed.push(fields.bytes(9).toString());
      return { kind: 'status', code: 0 };
    }
    if (kind === type.fstat) return { kind: 'attributes', attributes: next(opens) };
    const path = fields.text();
    if (kind === type.readlink)
      return { kind: 'names', entries: [{ name: Buffer.from(link ?? ''), long: Buffer.alloc(0), attributes: {} }] };
    if (link !== undefined && path === '/in/f') return { kind: 'attributes', attributes: { ...file, mode: 0o120777 } };
    return { kind: 'attributes', attributes: path === '/in' ? directory : next(theres) };
  };
  const port = {
    ask: async (kind: number, body: Uint8Array) => answer(kind, new Fields(Buffer.from(body), 'upstream')),
  } as unknown as SftpTarget;
  return { closed, port };
}

const asked = (port: SftpTarget): Promise<Answer> =>
  onlyAsJudged(port, '/', '/in/f', '/in/f', { kind: 'handle', handle });

test.each([
  ['the same file', [file], [file]],
  ['a file that grows', [file, { ...file, size: 30n, times: { accessed: 5, modified: 6 } }], [{ ...file, size: 20n }]],
])('%s is open', async (_what, open, there) => {
  const { closed, port } = target(open, there);
  expect(await asked(port)).toEqual({ kind: 'handle', handle });
  expect(closed).toEqual([]);
});

test.each([
  ['of another size', [file], [{ ...file, size: 11n }], undefined],
  ['of another owner', [file], [{ ...file, owner: { uid: 0, gid: 1 } }], undefined],
  ['of another mode', [file], [{ ...file, mode: 0o100644 }], undefined],
  ['written at another time', [file], [{ ...file, times: { accessed: 5, modified: 4 } }], undefined],
  ['behind a link that was put in the way', [file], [file], '/out/f'],
])('a file %s is closed again', async (_what, open, there, link) => {
  const { closed, port } = target(open, there, link);
  expect(await asked(port)).toEqual({ kind: 'status', code: 3 });
  expect(closed).toEqual(['h']);
});
