/** Promises about bytes: whatever way they come in, however many, and whoever does not take theirs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Adapter, Answer, Ask } from './adapter.ts';
import { type Actor, actionsIn, type Stage, tracesIn } from './stage.ts';

/** What a gateway may hold of one answer on its way, with all the buffers of sockets and relays. */
const inFlight = 48 * 1024 * 1024;
const growth = 64 * 1024 * 1024;

export function promisesOfStreams(adapter: Adapter, stage: () => Stage): void {
  const { asks, forms } = adapter;

  test('any split of what the client sends means the same and is answered the same', async () => {
    const labelled = asks.labelled.slice(0, 3).map(({ ask }) => ask);
    const sent: Ask[] = forms.flatMap((form) => [
      { ...asks.read('split00001'), form },
      { ...asks.forbidden('split00002'), form },
      { ...asks.failing('split00003'), form },
    ]);
    const asked = [...sent, ...labelled, asks.read('split00004')];
    const whole = await conversation(stage(), asked, []);
    expect(new Set(whole.answers.map(({ outcome }) => outcome))).toEqual(new Set(['done', 'refused', 'failed']));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }), async (pieces) => {
        expect(await conversation(stage(), asked, pieces)).toEqual(whole);
      }),
      { numRuns: 12, examples: [[[1]], [[2, 1]]] },
    );
  });

  describe.each(adapter.oddities)('$name', ({ bytes, after }) => {
    test('is refused and recorded, and nothing of it arrives', async () => {
      const { open, tag, target } = stage();
      const actor = await open('workers');
      actor.send(asks.read(tag()));
      await actor.answer();
      const before = await target.executed();
      actor.raw(bytes);
      if (after === 'goes on') {
        expect((await actor.answer()).outcome).not.toBe('done');
        expect(await target.executed()).toEqual(before);
        const mark = tag();
        actor.send(asks.read(mark));
        expect(await actor.answer()).toMatchObject({ outcome: 'done' });
        await actor.close();
      } else {
        expect((await actor.ended())?.message).toBeTruthy();
        expect(await target.executed()).toEqual(before);
      }
      const events = await actor.sealed();
      expect(actionsIn(events).filter(({ effect }) => effect === 'deny').length).toBe(1);
      expect(tracesIn(actor.received().toString('latin1'), [...target.credentials, ...target.labelled])).toEqual([]);
    });
  });

  describe.each(adapter.announcements)('$name that announces more than any cap', ({ when, bytes }) => {
    test('is refused by its head, and nothing is held ready for it', async () => {
      const { gateway, open } = stage();
      const before = memory();
      if (when === 'before login') await adapter.knock(gateway.address, bytes);
      else {
        const actor = await open('workers');
        actor.raw(bytes);
        await expectRefusedOrEnded(actor);
        actor.drop();
      }
      expect(memory() - before).toBeLessThan(growth);
    });
  });

  test('a flood before a login ends that connection and nothing else', async () => {
    const { gateway, open, tag } = stage();
    const other = await open('workers');
    const heads = adapter.announcements.filter(({ when }) => when === 'before login').map(({ bytes }) => bytes);
    for (const head of [new Uint8Array(), ...heads]) {
      for (const filler of [0x00, 0x61, 0xff]) {
        await adapter.knock(gateway.address, Buffer.concat([head, Buffer.alloc(4 * 1024 * 1024, filler)]));
      }
    }
    const mark = tag();
    other.send(asks.read(mark));
    expect(await other.answer()).toMatchObject({ outcome: 'done' });
    await other.close();
    await (await open('workers')).close();
  });

  test('what is larger than the limit is refused natively and does not arrive', async () => {
    const { open, tag, executed } = stage();
    for (const form of forms) {
      const actor = await open('workers');
      const mark = tag();
      actor.send({ ...asks.oversized(mark), form });
      await expectRefusedOrEnded(actor);
      await actor.close();
      expect(await executed(mark)).toEqual([]);
      expect(actionsIn(await actor.sealed()).some(({ effect }) => effect === 'deny')).toBe(true);
    }
  });

  test('a client that does not read stalls its own session and no other, in bounded memory', async () => {
    const { open, tag, upstream } = stage();
    const slow = await open('workers');
    const other = await open('workers');
    const before = { memory: memory(), taken: upstream.taken() };
    slow.front.stall(true);
    slow.send(asks.large(tag()));
    let last = -1;
    await expect
      .poll(
        () => {
          const taken = upstream.taken() - before.taken;
          const still = taken > 0 && taken === last;
          last = taken;
          return still;
        },
        { interval: 500, timeout: 30_000 },
      )
      .toBe(true);
    expect(upstream.taken() - before.taken).toBeLessThan(Math.min(inFlight, adapter.largeBytes / 2));
    expect(memory() - before.memory).toBeLessThan(growth);
    for (const form of forms) {
      const mark = tag();
      other.send({ ...asks.read(mark), form });
      expect(await other.answer()).toMatchObject({ outcome: 'done' });
    }
    await other.close();
    // It goes on where it stopped once the client reads.
    const taken = upstream.taken();
    slow.front.stall(false);
    await expect.poll(() => upstream.taken(), { timeout: 30_000 }).toBeGreaterThan(taken + 1024 * 1024);
    slow.drop();
    await slow.sealed();
  });
}

/** Everything that must not depend on how the bytes were cut. */
async function conversation(
  { openAs, claims }: Stage,
  asked: readonly Ask[],
  pieces: readonly number[],
): Promise<{ answers: Answer[]; actions: unknown[] }> {
  const actor = await openAs(claims('workers'), { pieces });
  const answers: Answer[] = [];
  actor.send(...asked);
  for (const _ of asked) answers.push(await actor.answer());
  await actor.close();
  const actions = actionsIn(await actor.sealed());
  const place = new Map(actions.map(({ unit }, index) => [unit, index]));
  const meant = actions.map(({ name, text, actions: means, effect, policies, continues }) => {
    // Units are numbered with what the gateway itself had to say in between.
    const of = continues === undefined ? undefined : place.get(continues);
    return { name, text, actions: means, effect, policies, of };
  });
  return { answers, actions: meant };
}

/** A native refusal of this, or of the session. */
async function expectRefusedOrEnded(actor: Actor): Promise<void> {
  const told = await Promise.race([
    actor.answer().then(
      ({ outcome }) => outcome,
      () => 'ended',
    ),
    actor.ended().then((words) => (words?.message ? 'ended' : 'without a word')),
  ]);
  expect(['refused', 'failed', 'ended']).toContain(told);
}

/** What buffers take; bytes. */
function memory(): number {
  return process.memoryUsage().external;
}
