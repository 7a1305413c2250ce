/** Promises about labelled values and about what an allow obliges to. */
import { describe, expect, test } from 'vitest';
import type { Adapter } from './adapter.ts';
import { type Stage, tracesIn } from './stage.ts';

export function promisesOfMasking(adapter: Adapter, stage: () => Stage): void {
  const { asks } = adapter;

  describe.each(asks.labelled)('a labelled value $way', ({ ask }) => {
    test('arrives for whoever may see it, and in no form for anybody else', async () => {
      const { open, target } = stage();
      const trusted = await open('workers', 'trusted');
      const actor = await open('workers');
      for (const each of [trusted, actor]) {
        each.send(ask);
        await each.answer();
        await each.close();
      }
      const shown = tracesIn(trusted.received().toString('latin1'), target.labelled);
      expect(shown, 'the suite would not see a leak').not.toEqual([]);
      expect(tracesIn(actor.received().toString('latin1'), target.labelled)).toEqual([]);
      const recorded = JSON.stringify(await actor.sealed());
      expect(tracesIn(recorded, target.labelled)).toEqual([]);
    });
  });

  test.each(asks.prying)('a labelled value is not found out $way', async ({ ask }) => {
    const { open, tag, executed, target } = stage();
    const mark = tag();
    const actor = await open('workers');
    actor.send(ask(mark));
    expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { decision: 'deny' } });
    await actor.close();
    expect(await executed(mark)).toEqual([]);
    expect(tracesIn(actor.received().toString('latin1'), target.labelled)).toEqual([]);
  });

  describe('obligations', () => {
    test('are only those that this suite has a promise for', () => {
      for (const kind of stage().connector.discharges) expect(['mask', 'limit_rows']).toContain(kind);
    });

    test('a limit of items holds, or the ask is refused', async () => {
      const { connector, open } = stage();
      const actor = await open('limited');
      actor.send(asks.items(3));
      const within = await actor.answer();
      actor.send(asks.items(10));
      const beyond = await actor.answer();
      await actor.close();
      if (!connector.discharges.includes('limit_rows')) {
        expect([within.outcome, beyond.outcome]).toEqual(['refused', 'refused']);
        return;
      }
      expect(within).toMatchObject({ outcome: 'done', items: 3 });
      expect(beyond.outcome === 'done' ? beyond.items : 0).toBeLessThanOrEqual(3);
      const told = (await actor.sealed()).filter(({ type }) => type === 'event' || type === 'error');
      expect(told.length).toBeGreaterThan(0);
    });

    test.each([
      ['read_only', 'read-only'],
      ['notify', 'notified'],
    ] as const)('one that the connector does not carry out turns the allow into a deny: %s', async (kind, group) => {
      const { open, tag, executed } = stage();
      const actor = await open(group);
      const mark = tag();
      actor.send(asks.read(mark));
      const answer = await actor.answer();
      expect(answer).toMatchObject({ outcome: 'refused', refusal: { decision: 'deny' } });
      expect(answer.outcome === 'refused' && answer.refusal.reason).toContain(kind);
      await actor.close();
      expect(await executed(mark)).toEqual([]);
    });
  });
}
