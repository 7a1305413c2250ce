import { type Route, routes } from '@sluice/api/routes.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { dispatch } from './dispatch.ts';
import type { Guard } from './guard.ts';
import type { RouteName } from './handler.ts';
import { people, testServices } from './testing/services.ts';

const request = { params: {}, query: {}, headers: {}, raw: { socket: {} } } as unknown as FastifyRequest;

function call(name: RouteName, handler: unknown, who: keyof typeof people | undefined = 'alex'): Promise<unknown> {
  const sent: unknown[] = [];
  const reply = {
    code: () => reply,
    send: (answer: unknown) => {
      sent.push(answer);
      return reply;
    },
  } as unknown as FastifyReply;
  const context = { request, reply, principal: who && people[who], services: testServices() };
  return dispatch(name, routes[name] as Route, handler, context).then(() => sent[0]);
}

describe('a handler that forgets its rule', () => {
  it('is not heard', async () => {
    await expect(call('getSession', async () => ({ id: 'ses_1' }))).rejects.toThrow('without asking');
    await expect(call('listSessions', async () => ({ items: [] }))).rejects.toThrow('without asking');
  });

  it('is heard once it asked', async () => {
    const handler = async ({ guard }: { guard: Guard }) =>
      guard.must({ id: 'ses_1' }, () => ({ target: 'shop' }), 'nothing there');
    expect(await call('getSession', handler)).toEqual({ id: 'ses_1' });
    await expect(call('getSession', handler, 'dana')).rejects.toMatchObject({ code: 'not_found' });
  });
});
