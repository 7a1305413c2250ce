/** Promises about what is decided: what is refused never arrives and is told natively, what is allowed is recorded first. */
import { describe, expect, test } from 'vitest';
import type { Adapter, Answer } from './adapter.ts';
import { actionsIn, needing, type Stage, tracesIn, words } from './stage.ts';

/** Events that hold what a client was given. */
const shown: ReadonlySet<string> = new Set(['rows', 'output', 'terminal']);

export function promisesOfDecisions(adapter: Adapter, stage: () => Stage): void {
  const { asks, forms } = adapter;

  describe.each(forms.map((form) => ({ form })))('what is asked as $form', ({ form }) => {
    test('is answered where it is allowed, and the recording has what the client saw', async () => {
      const { open, tag, executed } = stage();
      const actor = await open('workers');
      const [mark, broken] = [tag(), tag()];
      actor.send({ ...asks.read(mark), form });
      const answer = await actor.answer();
      expect(answer).toMatchObject({ outcome: 'done' });
      expect(values(answer)).toContain(mark);
      actor.send({ ...asks.failing(broken), form });
      const failure = await actor.answer();
      expect(failure).toMatchObject({ outcome: 'failed' });
      await actor.close();
      const events = await actor.sealed();
      expect((await executed(mark)).length).toBe(1);
      const seen = JSON.stringify(events.filter(({ type }) => shown.has(String(type))));
      for (const value of values(answer)) if (value !== null && form !== 'binary') expect(seen).toContain(value);
      const told = events.find(({ type }) => type === 'error');
      expect(told).toMatchObject({ message: failure.outcome === 'failed' ? failure.message : '' });
      expect(events.at(-1)).toMatchObject({ type: 'seal' });
      expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'client_closed' });
    });

    test('is refused natively where policy forbids it, never arrives, and the session goes on', async () => {
      const { open, tag, executed, target } = stage();
      const actor = await open('workers');
      const [mark, after] = [tag(), tag()];
      actor.send({ ...asks.forbidden(mark), form });
      const answer = await actor.answer();
      expect(answer).toMatchObject({
        outcome: 'refused',
        refusal: { decision: 'deny', reason: words.forbidden, policies: ['contract-forbids'], request: undefined },
      });
      expect(answer.outcome === 'refused' && answer.refusal.hint).toBeTruthy();
      expect(tracesIn(actor.received().toString('latin1'), [...target.credentials, ...target.labelled])).toEqual([]);
      actor.send({ ...asks.read(after), form });
      expect(values(await actor.answer())).toContain(after);
      await actor.close();
      expect(await executed(mark)).toEqual([]);
      const refused = actionsIn(await actor.sealed()).find(({ effect }) => effect === 'deny');
      expect(refused).toMatchObject({ text: [asks.forbidden(mark).text], policies: ['contract-forbids'] });
    });

    test('is refused where no policy permits it', async () => {
      const { open, tag, executed } = stage();
      const actor = await open();
      const mark = tag();
      actor.send({ ...asks.read(mark), form });
      expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { decision: 'deny', policies: [] } });
      await actor.close();
      expect(await executed(mark)).toEqual([]);
    });
  });

  const inOrder = needing(adapter, 'pipelining', 'answers come in the order of what was asked, refusals among them');
  test.skipIf(inOrder.skip)(inOrder.name, async () => {
    const { open, tag, executed } = stage();
    for (const form of forms) {
      const actor = await open('workers');
      const marks = [tag(), tag(), tag(), tag(), tag()] as const;
      const [first, second, third, fourth, fifth] = marks;
      const sent = [
        asks.read(first),
        asks.forbidden(second),
        asks.failing(third),
        asks.forbidden(fourth),
        asks.read(fifth),
      ];
      actor.send(...sent.map((ask) => ({ ...ask, form })));
      const answers: Answer[] = [];
      for (const _ of marks) answers.push(await actor.answer());
      expect(answers.map(({ outcome }) => outcome)).toEqual(['done', 'refused', 'failed', 'refused', 'done']);
      expect(values(answers[0])).toContain(first);
      expect(values(answers[4])).toContain(fifth);
      await actor.close();
      expect([...(await executed(second)), ...(await executed(fourth))]).toEqual([]);
    }
  });

  test('a decision is on the disk before what it allows arrives at the target', async () => {
    const { open, tag, upstream, target } = stage();
    const actor = await open('workers');
    const camera = await actor.camera();
    for (const form of forms) {
      const mark = tag();
      const arrived = new Promise<ReturnType<typeof camera>>((resolve, reject) => {
        upstream.watch((bytes) => {
          if (!target.carries(bytes, mark)) return;
          try {
            resolve(camera());
          } catch (error) {
            reject(error as Error);
          }
        });
      });
      actor.send({ ...asks.read(mark), form });
      const onDisk = await (await arrived)();
      upstream.watch(undefined);
      expect(actionsIn(onDisk).at(-1), form).toMatchObject({ effect: 'allow' });
      expect(JSON.stringify(onDisk)).toContain(mark);
      await actor.answer();
      expect(JSON.stringify(onDisk.filter(({ type }) => shown.has(String(type))))).not.toContain(mark);
    }
    await actor.close();
  });

  test('a decision follows policy as it is now', async () => {
    const { open, tag, executed, gateway, policies } = stage();
    const actor = await open('workers');
    const [before, between, after] = [tag(), tag(), tag()];
    actor.send(asks.read(before));
    expect(await actor.answer()).toMatchObject({ outcome: 'done' });
    await gateway.setPolicies(
      `${policies}@id("now") forbid (principal, action == Action::"${adapter.verbs.read}", resource);`,
    );
    actor.send(asks.read(between));
    expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { policies: ['now'] } });
    await gateway.setPolicies(policies);
    actor.send(asks.read(after));
    expect(await actor.answer()).toMatchObject({ outcome: 'done' });
    await actor.close();
    expect(await executed(between)).toEqual([]);
  });
}

function values(answer: Answer | undefined): readonly (string | null)[] {
  return answer?.outcome === 'done' ? answer.values : [];
}
