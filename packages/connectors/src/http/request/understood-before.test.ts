import { describe, expect, test } from 'vitest';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { httpTarget } from '../target-form.ts';
import { type RawRequest, understandRequest } from './understand.ts';
import { UnderstoodBefore } from './understood-before.ts';

async function* nothing(): AsyncIterable<Uint8Array> {}

function request(path: string, headers: readonly HttpHeader[] = [], more: Partial<RawRequest> = {}): RawRequest {
  return { method: 'GET', path, headers, hasBody: false, body: nothing(), ...more };
}

const target = httpTarget('crm', {});

describe('requests that come again', () => {
  test('are kept under names that tell apart whatever is understood differently', () => {
    const before = new UnderstoodBefore();
    const names = [
      before.nameOf(request('/a'), false, false),
      before.nameOf(request('/a'), true, false),
      before.nameOf(request('/a', [], { method: 'HEAD' }), false, false),
      before.nameOf(request('/a?b'), false, false),
      before.nameOf(request('/a', [['accept', 'b']]), false, false),
      before.nameOf(request('/a', [['accept', 'c']]), false, false),
      before.nameOf(request('/a', [['accept', '']]), false, false),
      before.nameOf(
        request('/a', [
          ['accept', 'b'],
          ['x-other', 'c'],
        ]),
        false,
        false,
      ),
      before.nameOf(request('/a', [['authorization', 'Bearer x']]), false, false),
    ];
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
  });

  test('are kept without what proves who asks, which means nothing to the target', () => {
    const before = new UnderstoodBefore();
    for (const field of ['authorization', 'sluice-authorization', 'proxy-authorization']) {
      expect(before.nameOf(request('/a', [[field, 'Bearer hunter2']]), false, false)).not.toContain('hunter2');
    }
  });

  test.each<[string, RawRequest, boolean]>([
    ['a body', request('/a', [], { method: 'POST', hasBody: true }), false],
    ['a cookie', request('/a', [['cookie', 'session=1']]), false],
    ['an authorization of the API’s own', request('/a', [['authorization', 'Bearer x']]), true],
    ['a request for a WebSocket', request('/a', [], { upgrade: true }), false],
    ['a header without end', request('/a', [['x-long', 'x'.repeat(5_000)]]), false],
  ])('are not kept with %s', (_, asked, own) => {
    expect(new UnderstoodBefore().nameOf(asked, false, own)).toBeUndefined();
  });

  test('are the very same unit, of actions that nobody can change', async () => {
    const before = new UnderstoodBefore();
    const name = before.nameOf(request('/v1/customers'), false, false) ?? '';
    const understood = await understandRequest(target, [], request('/v1/customers'));
    const kept = before.keep(name, understood);
    expect(kept).toEqual(understood);
    expect(before.find(name)).toBe(kept);
    expect(Object.isFrozen(kept.unit.actions) && kept.unit.actions.every((action) => Object.isFrozen(action))).toBe(
      true,
    );
  });

  test('are forgotten when there are many', async () => {
    const before = new UnderstoodBefore();
    for (let n = 0; n < 40; n++) before.keep(`${n}`, await understandRequest(target, [], request(`/${n}`)));
    expect(Array.from({ length: 40 }, (_, n) => before.find(`${n}`)).filter(Boolean)).toHaveLength(16);
    expect(before.find('39')).toBeDefined();
  });
});
