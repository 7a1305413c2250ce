/** Promises about what waits for consent: it does not run before, runs once, and never after its client is gone. */
import { describe, expect, test } from 'vitest';
import type { Adapter } from './adapter.ts';
import { type Actor, needing, type Stage, words } from './stage.ts';

export function promisesOfHolds(adapter: Adapter, stage: () => Stage): void {
  const { asks, forms } = adapter;
  const parking = needing(adapter, 'parking', 'what is parked');

  describe.skipIf(parking.skip)(parking.name, () => {
    /** Someone whose ask waits for consent. */
    async function parked(mark: string, form = forms[0] ?? ''): Promise<{ actor: Actor; request: string }> {
      const actor = await stage().open('workers', 'parked');
      actor.send({ ...asks.held(mark), form });
      const { request } = await told(actor);
      expect((await stage().reviewer.accessRequest(request)).state).toBe('pending');
      return { actor, request };
    }

    /** As its client is told; where that is not told anything yet, as the reviewers are. */
    async function told({ notice, sub }: Actor): Promise<{ readonly request: string }> {
      if (adapter.lacks.notices === undefined) return notice();
      const { reviewer } = stage();
      const find = async (): Promise<string | undefined> =>
        (await reviewer.accessRequests({ state: 'pending' })).items.find(({ requester }) =>
          requester.id.endsWith(`#${sub}`),
        )?.id;
      await expect.poll(find).toBeDefined();
      return { request: (await find()) ?? '' };
    }

    test.each(forms.map((form) => ({ form })))(
      'tells its access request, and runs once it is approved: $form',
      async ({ form }) => {
        const { reviewer, tag, target, executed } = stage();
        const mark = tag();
        const { actor, request } = await parked(mark, form);
        if (adapter.lacks.notices === undefined) expect(actor.received().toString('utf8')).toContain(words.held);
        const asked = await reviewer.accessRequest(request);
        expect(asked.actions.map(({ text }) => text)).toContain(asks.held(mark).text);
        expect(await target.effects(mark)).toBe(0);
        await reviewer.approve(request, 'go ahead');
        expect(await actor.answer()).toMatchObject({ outcome: 'done' });
        expect(await target.effects(mark)).toBe(1);
        expect((await executed(mark)).length).toBe(1);
        expect((await reviewer.accessRequest(request)).state).toBe('used');
        // The same again is another ask, with a request of its own.
        actor.send({ ...asks.held(mark), form });
        const again = await told(actor);
        expect(again.request).not.toBe(request);
        await reviewer.deny(again.request, 'once is enough');
        expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { request: again.request } });
        await actor.close();
        expect(await target.effects(mark)).toBe(1);
        const states = (await actor.sealed()).filter(({ type }) => type === 'approval');
        expect(states.map(({ request: of, state }) => [of, state])).toEqual([
          [request, 'pending'],
          [request, 'approved'],
          [request, 'used'],
          [again.request, 'pending'],
          [again.request, 'denied'],
        ]);
      },
    );

    test('is refused natively when it is denied, with what the reviewer said, and the session goes on', async () => {
      const { reviewer, tag, target } = stage();
      const [mark, after] = [tag(), tag()];
      const { actor, request } = await parked(mark);
      await reviewer.deny(request, 'not on a Friday');
      const answer = await actor.answer();
      expect(answer).toMatchObject({ outcome: 'refused', refusal: { decision: 'deny', request } });
      expect(answer.outcome === 'refused' && answer.refusal.reason).toContain('not on a Friday');
      actor.send(asks.read(after));
      expect(await actor.answer()).toMatchObject({ outcome: 'done' });
      await actor.close();
      expect(await target.effects(mark)).toBe(0);
    });

    const keepsOrder = needing(adapter, 'pipelining', 'keeps what stands behind it waiting, too');
    test.skipIf(keepsOrder.skip)(keepsOrder.name, async () => {
      const { reviewer, tag, target, executed } = stage();
      const [mark, behind] = [tag(), tag()];
      const { actor, request } = await parked(mark);
      actor.send(asks.read(behind));
      const other = await stage().open('workers');
      other.send(asks.read(tag()));
      expect(await other.answer()).toMatchObject({ outcome: 'done' });
      await other.close();
      expect(await executed(behind)).toEqual([]);
      await reviewer.approve(request);
      expect(await actor.answer()).toMatchObject({ outcome: 'done' });
      expect(await actor.answer()).toMatchObject({ outcome: 'done', values: expect.arrayContaining([behind]) });
      await actor.close();
      expect(await target.effects(mark)).toBe(1);
    });

    const cancels = needing(adapter, 'cancelling', 'is withdrawn when the client gives it up, and the session goes on');
    test.skipIf(cancels.skip)(cancels.name, async () => {
      const { tag } = stage();
      const [mark, after] = [tag(), tag()];
      const { actor, request } = await parked(mark);
      await actor.cancel();
      expect((await actor.answer()).outcome).not.toBe('done');
      await neverRuns(mark, request);
      actor.send(asks.read(after));
      expect(await actor.answer()).toMatchObject({ outcome: 'done' });
      await actor.close();
    });

    test.each([
      ['vanishes', (actor: Actor) => actor.drop()],
      [
        'says goodbye and leaves',
        (actor: Actor) => {
          void actor.close();
          actor.drop();
        },
      ],
      ['loses its network', (actor: Actor) => actor.front.cut(true)],
    ])('is withdrawn when the client %s', async (_, leave) => {
      const mark = stage().tag();
      const { actor, request } = await parked(mark);
      leave(actor);
      await neverRuns(mark, request);
      await actor.sealed();
    });

    test('is withdrawn when the session is killed', async () => {
      const { operator, tag } = stage();
      const mark = tag();
      const { actor, request } = await parked(mark);
      await operator.kill((await actor.listed()).id);
      expect((await actor.ended())?.message).toBeTruthy();
      await neverRuns(mark, request);
    });

    test('is judged again when it is approved', async () => {
      const { reviewer, tag, target, gateway, policies } = stage();
      const mark = tag();
      const { actor, request } = await parked(mark);
      await gateway.setPolicies(
        `${policies}@id("meanwhile") forbid (principal, action == Action::"${adapter.verbs.held}", resource);`,
      );
      await reviewer.approve(request);
      expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { policies: ['meanwhile'] } });
      await gateway.setPolicies(policies);
      await actor.close();
      expect(await target.effects(mark)).toBe(0);
    });

    async function neverRuns(mark: string, request: string): Promise<void> {
      const { reviewer, target, executed } = stage();
      await expect
        .poll(async () => (await reviewer.accessRequest(request)).state, { timeout: 10_000 })
        .toBe('cancelled');
      await expect(reviewer.approve(request)).rejects.toThrow();
      expect(await target.effects(mark)).toBe(0);
      expect(await executed(mark)).toEqual([]);
    }
  });

  test('a session that waits for consent opens once it is given, and only one', async () => {
    const { claims, gateway, openAs, tryOpen, reviewer } = stage();
    const who = claims('workers', 'waiting');
    const proof = { kind: 'token', token: await gateway.token(who) } as const;
    const first = await tryOpen(proof);
    expect(first).toMatchObject({ open: false });
    const [request] = (await reviewer.accessRequests({ state: 'pending' })).items;
    expect(!first.open && first.words.message).toContain(request?.id);
    await reviewer.approve(request?.id ?? '');
    const actor = await openAs(who, { proof });
    expect(await tryOpen(proof)).toMatchObject({ open: false });
    await actor.close();
    const [next] = (await reviewer.accessRequests({ state: 'pending' })).items;
    await reviewer.deny(next?.id ?? '');
  });

  describe('what is to be sent again', () => {
    test.each(forms.map((form) => ({ form })))(
      'is answered at once with its access request, and collects the consent once: $form',
      async ({ form }) => {
        const { open, reviewer, tag, target } = stage();
        const actor = await open('workers', 'resending');
        const [mark, other] = [tag(), tag()];
        const ask = { ...asks.held(mark), form };
        actor.send(ask);
        const first = await actor.answer();
        expect(first).toMatchObject({ outcome: 'refused', refusal: { decision: 'hold' } });
        const request = (first.outcome === 'refused' && first.refusal.request) || '';
        expect(first.outcome === 'refused' && first.refusal.url).toContain(request);
        actor.send(ask);
        expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { decision: 'hold', request } });
        await reviewer.approve(request);
        // Consent is to this content and to no other.
        actor.send({ ...asks.held(other), form });
        expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { decision: 'hold' } });
        expect(await target.effects(mark)).toBe(0);
        actor.send(ask);
        expect(await actor.answer()).toMatchObject({ outcome: 'done' });
        actor.send(ask);
        expect(await actor.answer()).toMatchObject({ outcome: 'refused', refusal: { decision: 'hold' } });
        await actor.close();
        expect([await target.effects(mark), await target.effects(other)]).toEqual([1, 0]);
      },
    );
  });
}
