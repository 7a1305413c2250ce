import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageOf } from './paging.ts';

interface Row {
  readonly id: number;
  readonly at: number;
  readonly mine: boolean;
}

/** Reads all pages; also counts how many rows the source was asked for at most per page. */
async function readAll(rows: readonly Row[], limit: number): Promise<{ seen: number[]; longest: number }> {
  const newestFirst = [...rows].sort((a, b) => b.at - a.at);
  const seen: number[] = [];
  let longest = 0;
  let before: number | undefined;
  for (;;) {
    let scanned = 0;
    const page = await pageOf<Row>({
      limit,
      before,
      fetch: async (most, until) => {
        const batch = newestFirst.filter((row) => until === undefined || row.at < until).slice(0, most);
        scanned += batch.length;
        return batch;
      },
      visible: (some) => some.filter((row) => row.mine),
      at: (row) => row.at,
    });
    longest = Math.max(longest, scanned);
    seen.push(...page.items.map((row) => row.id));
    if (page.next === undefined) return { seen, longest };
    before = Number(page.next);
  }
}

describe('pages', () => {
  it('hold together all that the caller may see, once and in order', async () => {
    const row = fc.record({ at: fc.nat({ max: 400 }), mine: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 300 }), fc.integer({ min: 1, max: 60 }), async (some, limit) => {
        // Fewer rows per moment than a batch has, as the cursor wants it.
        const rows = some.filter((one, i) => some.slice(0, i).filter((o) => o.at === one.at).length < 20);
        const numbered = rows.map((one, id) => ({ id, ...one }));
        const { seen } = await readAll(numbered, limit);
        const expected = numbered.filter((one) => one.mine);
        expect([...seen].sort((a, b) => a - b)).toEqual(expected.map((one) => one.id));
        const times = seen.map((id) => numbered[id]?.at ?? 0);
        expect(times).toEqual([...times].sort((a, b) => b - a));
      }),
    );
  });

  it('bound the work for someone who may see nothing', async () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => ({ id, at: id, mine: id === 0 }));
    const { seen, longest } = await readAll(rows, 10);
    expect(seen).toEqual([0]);
    expect(longest).toBeLessThan(3000);
  });
});
