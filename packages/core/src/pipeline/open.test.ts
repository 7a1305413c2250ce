import { describe, expect, it } from 'vitest';
import type { SessionInfo } from '../domain/session.ts';
import { openSession } from './open.ts';
import { agent, decided, World } from './testing.ts';

const client = { address: '127.0.0.1:1', secure: false };

describe('an opened session', () => {
  it('knows of its target what people and policy know, whatever else is kept of it', async () => {
    const world = new World();
    const recorded: SessionInfo[] = [];
    const configured = {
      name: 'shop',
      connector: 'sql',
      tags: ['env=prod'],
      address: { host: '10.1.2.3', port: 5432 },
      credential: { username: 'root', secrets: { password: { kind: 'file', path: '/run/secrets/shop' } } },
    };
    const ports = {
      ...world.ports,
      target: () => configured,
      dial: () =>
        Promise.resolve({
          socket: world.socket,
          tls: 'disable' as const,
          credential: { username: 'root', secrets: {} },
          settings: {},
        }),
      recorders: {
        open: (info: SessionInfo) => {
          recorded.push(info);
          return world.recorder;
        },
      },
    };
    const session = await openSession(
      ports,
      { principal: agent, target: 'shop', onHold: () => {}, gone: new Promise(() => {}) },
      client,
    );
    expect(session.info.target).toEqual({ name: 'shop', connector: 'sql', tags: ['env=prod'] });
    expect(recorded.map(({ target }) => target)).toEqual([session.info.target]);
  });

  it.each([
    ['before its target was reached', false],
    ['after', true],
  ])('ends as revoked when policy took the right to connect away %s', async (_, later) => {
    const world = new World();
    const listeners = new Set<(snapshot: ReturnType<typeof world.ports.policy.current>) => void>();
    const deny = (): void => {
      world.decide = () => decided('deny');
      for (const tell of [...listeners]) tell(world.ports.policy.current());
    };
    let destroyed = false;
    const socket = {
      ...world.socket,
      destroy: () => {
        destroyed = true;
      },
    };
    const ports = {
      ...world.ports,
      policy: {
        current: world.ports.policy.current,
        onChange: (tell: (snapshot: ReturnType<typeof world.ports.policy.current>) => void) => {
          listeners.add(tell);
          return () => listeners.delete(tell);
        },
      },
      dial: async () => {
        if (!later) deny();
        return { socket, tls: 'disable' as const, credential: { username: 'root', secrets: {} }, settings: {} };
      },
    };
    const opening = { principal: agent, target: 'shop', onHold: () => {}, gone: new Promise<void>(() => {}) };
    await openSession(ports, opening, client);
    if (later) deny();
    await expect.poll(() => world.ended).toEqual(['revoked']);
    expect(destroyed).toBe(true);
    expect(listeners.size).toBe(0);
  });
});
