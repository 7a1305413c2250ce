import { describe, expect, it } from 'vitest';
import type { SessionInfo } from '../domain/session.ts';
import { openSession } from './open.ts';
import { agent, World } from './testing.ts';

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
});
