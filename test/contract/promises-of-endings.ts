/** Promises about who gets in, and about how a session ends: natively, soon, and with whatever it runs. */
import { describe, expect, test } from 'vitest';
import type { Adapter, Opened, Proof } from './adapter.ts';
import { type Actor, needing, type Stage, tracesIn } from './stage.ts';

/** Within which a revocation reaches what it ends; milliseconds. */
const bound = 5_000;

export function promisesOfEndings(adapter: Adapter, stage: () => Stage): void {
  const { asks } = adapter;

  /** Resolves once the target works on it. */
  async function runs(mark: string): Promise<void> {
    const { target } = stage();
    await expect.poll(async () => (await target.running()).some((text) => text.includes(mark))).toBe(true);
  }

  async function stops(mark: string): Promise<void> {
    const { target } = stage();
    await expect
      .poll(async () => (await target.running()).filter((text) => text.includes(mark)), { timeout: bound })
      .toEqual([]);
  }

  test('a wrong proof is refused in one way, whatever is wrong with it', async () => {
    const { gateway, claims, tryOpen } = stage();
    const api = await gateway.apiAs(claims('workers'));
    const expired = await gateway.token({ ...claims('workers'), ttl: -60 });
    const [header, body] = (await gateway.token(claims('workers'))).split('.');
    const live = await api.issueAccessCredential({ target: gateway.targetName });
    const revoked = await api.issueAccessCredential({ target: gateway.targetName });
    await api.revokeAccessCredential(revoked.id);
    const proofs: readonly Proof[] = [
      { kind: 'token', token: 'no.token.atall' },
      { kind: 'token', token: 'x' },
      { kind: 'token', token: expired },
      { kind: 'token', token: `${header}.${body}.${'A'.repeat(86)}` },
      { kind: 'token', token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.` },
      { kind: 'credential', id: live.id, secret: `${live.secret}x` },
      { kind: 'credential', id: revoked.id, secret: revoked.secret },
      { kind: 'credential', id: `${live.id.slice(0, -4)}AAAA`, secret: live.secret },
    ];
    const answers: Opened[] = [];
    for (const proof of proofs) answers.push(await tryOpen(proof));
    expect(answers.map(({ open }) => open)).toEqual(proofs.map(() => false));
    expect(answers).toEqual(proofs.map(() => answers[0]));
    expect(answers[0]).toMatchObject({ words: { message: expect.stringMatching(/./) } });
  });

  test('a target that there is not is refused, and so is a connect that policy does not allow', async () => {
    const { gateway, policies, claims, tryOpen, target } = stage();
    const proof: Proof = { kind: 'token', token: await gateway.token(claims('workers')) };
    const nowhere = await tryOpen(proof, 'nowhere');
    expect(nowhere).toMatchObject({ open: false });
    await gateway.setPolicies(`${policies}@id("shut") forbid (principal, action == Action::"connect", resource);`);
    const refused = await tryOpen(proof);
    await gateway.setPolicies(policies);
    expect(refused).toMatchObject({ open: false });
    for (const answer of [nowhere, refused]) {
      expect(!answer.open && answer.words.message).toBeTruthy();
      expect(tracesIn(JSON.stringify(answer), target.credentials)).toEqual([]);
    }
  });

  describe('a session ends natively, and with it what it runs at the target', () => {
    const ways: readonly (readonly [string, string, (actor: Actor) => Promise<unknown>])[] = [
      ['is killed', 'killed', async (actor) => stage().operator.kill((await actor.listed()).id)],
      [
        'is no longer allowed by policy',
        'revoked',
        async () => {
          const { gateway, policies } = stage();
          await gateway.setPolicies(
            `${policies}@id("shut") forbid (principal, action == Action::"connect", resource);`,
          );
          await gateway.setPolicies(policies);
        },
      ],
    ];

    test.each(ways)('when it %s', async (_, reason, end) => {
      const { open, tag } = stage();
      const idle = await open('workers');
      const busy = await open('workers');
      const mark = tag();
      busy.send(asks.slow(mark));
      await runs(mark);
      await end(busy);
      await stops(mark);
      expect((await soon(busy.ended()))?.message).toBeTruthy();
      expect((await busy.sealed()).at(-2)).toMatchObject({ type: 'end', reason });
      if (reason === 'killed') await end(idle);
      expect((await soon(idle.ended()))?.message).toBeTruthy();
      expect((await idle.sealed()).at(-2)).toMatchObject({ type: 'end', reason });
    });

    test('when its access credential is revoked', async () => {
      const { gateway, claims, openAs, tag, tryOpen } = stage();
      const who = claims('workers');
      const api = await gateway.apiAs(who);
      const { id, secret } = await api.issueAccessCredential({ target: gateway.targetName });
      const proof: Proof = { kind: 'credential', id, secret };
      const actor = await openAs(who, { proof });
      const mark = tag();
      actor.send(asks.slow(mark));
      await runs(mark);
      await api.revokeAccessCredential(id);
      await stops(mark);
      expect((await soon(actor.ended()))?.message).toBeTruthy();
      expect((await actor.sealed()).at(-2)).toMatchObject({ type: 'end', reason: 'revoked' });
      expect(await tryOpen(proof)).toMatchObject({ open: false });
    });

    test('when the identity behind it expires', async () => {
      const { claims, openAs, tag } = stage();
      // Clocks of gateway and issuer may differ by half a minute, which this token has used up but for some seconds.
      const actor = await openAs({ ...claims('workers'), ttl: -25 });
      const mark = tag();
      actor.send(asks.slow(mark));
      await runs(mark);
      expect((await actor.ended())?.message).toBeTruthy();
      await stops(mark);
      expect((await actor.sealed()).at(-2)).toMatchObject({ type: 'end', reason: 'expired' });
    });
  });

  const cancels = needing(adapter, 'cancelling', 'what runs is stopped by a cancel, and the session goes on');
  test.skipIf(cancels.skip)(cancels.name, async () => {
    const { open, tag } = stage();
    const actor = await open('workers');
    for (const form of adapter.forms) {
      const [mark, after] = [tag(), tag()];
      actor.send({ ...asks.slow(mark), form });
      await runs(mark);
      await actor.cancel();
      expect((await actor.answer()).outcome).toBe('failed');
      await stops(mark);
      actor.send(asks.read(after));
      expect(await actor.answer()).toMatchObject({ outcome: 'done' });
    }
    await actor.close();
  });

  test('what runs is stopped when the client vanishes', async () => {
    const { open, tag } = stage();
    const actor = await open('workers');
    const mark = tag();
    actor.send(asks.slow(mark));
    await runs(mark);
    actor.drop();
    await stops(mark);
    expect((await actor.sealed()).at(-2)).toMatchObject({ type: 'end', reason: 'client_closed' });
  });

  describe('a target', () => {
    const lost = 'that is lost ends its sessions with a native error, and others open once it is back';
    const attached = needing(adapter, 'attachment', lost);
    test.skipIf(attached.skip)(attached.name, async () => {
      const { open, tag, upstream, target } = stage();
      const [idle, busy] = [await open('workers'), await open('workers')];
      const mark = tag();
      busy.send(asks.slow(mark));
      await runs(mark);
      upstream.cut(true);
      for (const actor of [idle, busy]) {
        expect((await soon(actor.ended()))?.message).toBeTruthy();
        const events = await actor.sealed();
        expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'upstream_closed' });
        expect(tracesIn(actor.received().toString('latin1'), target.credentials)).toEqual([]);
      }
      upstream.cut(false);
      const again = await open('workers');
      const after = tag();
      again.send(asks.read(after));
      expect(await again.answer()).toMatchObject({ outcome: 'done' });
      await again.close();
    });

    test.skipIf(!attached.skip)('that is lost fails what runs with a native error, and nothing else', async () => {
      const { open, tag, upstream, target } = stage();
      const [idle, busy] = [await open('workers'), await open('workers')];
      const mark = tag();
      busy.send(asks.slow(mark));
      await runs(mark);
      upstream.cut(true);
      for (const actor of [busy, idle]) {
        if (actor === idle) actor.send(asks.read(tag()));
        const answer = await soon(actor.answer());
        expect(answer).toMatchObject({ outcome: 'failed', message: expect.stringMatching(/./) });
        const own = [...target.credentials, String(upstream.port), String(target.address.port)];
        expect(tracesIn(JSON.stringify(answer), own)).toEqual([]);
      }
      upstream.cut(false);
      for (const actor of [busy, idle]) {
        const after = tag();
        actor.send(asks.read(after));
        expect(await actor.answer()).toMatchObject({ outcome: 'done' });
        await actor.close();
        const events = await actor.sealed();
        expect(events.filter(({ type }) => type === 'error').length).toBe(1);
        expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'client_closed' });
      }
    });

    test('that cannot be reached is told natively, and nothing of where it is', async () => {
      const { open, upstream, target, gateway, claims, tryOpen } = stage();
      upstream.cut(true);
      const refused = await tryOpen({ kind: 'token', token: await gateway.token(claims('workers')) });
      upstream.cut(false);
      expect(refused).toMatchObject({ open: false });
      expect(!refused.open && refused.words.message).toBeTruthy();
      const own = [...target.credentials, String(upstream.port), String(target.address.port)];
      expect(tracesIn(JSON.stringify(refused), own)).toEqual([]);
      await (await open('workers')).close();
    });
  });
}

/** Rejects when it takes longer than a revocation may. */
async function soon<T>(happens: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${bound} ms`)), bound);
  });
  return Promise.race([happens, late]).finally(() => clearTimeout(timer));
}
