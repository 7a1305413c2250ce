import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpExchange } from '../wire/http/exchange.ts';
import { placeOf, refusalOf } from './door.ts';

const gone = new AbortController().signal;
function exchange(more: {
  readonly authority?: string;
  readonly secure?: boolean;
  readonly loopback?: boolean;
  readonly origins?: readonly string[];
}): HttpExchange {
  const { authority = 'localhost:7433', secure = false, loopback = true, origins = [] } = more;
  const unused = () => {
    throw new Error('not used here');
  };
  return {
    version: '1.1',
    method: 'POST',
    path: '/mcp',
    authority,
    headers: origins.map((origin): [string, string] => ['origin', origin]),
    origin: { remote: '127.0.0.1:1', loopback, secure },
    hasBody: false,
    body: { [Symbol.asyncIterator]: unused },
    gone,
    responded: false,
    respond: unused,
    answer: unused,
  };
}

describe('a path', () => {
  test('leads to one place, or nowhere', () => {
    expect(placeOf('/mcp')).toEqual({ kind: 'front' });
    expect(placeOf('/mcp/shop-2.eu_x')).toEqual({ kind: 'target', name: 'shop-2.eu_x' });
    expect(placeOf('/.well-known/oauth-protected-resource')).toEqual({ kind: 'metadata', path: '' });
    expect(placeOf('/.well-known/oauth-protected-resource/mcp/shop')).toEqual({ kind: 'metadata', path: '/mcp/shop' });
  });

  test('leads nowhere when anything in it is written otherwise', () => {
    const odd = fc.oneof(
      fc.constantFrom('/', '?', '%2f', '%00', '#', ';', '\\', '..', ' '),
      fc.string({ minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(odd, fc.constantFrom('/mcp', '/.well-known/oauth-protected-resource'), (extra, base) => {
        const place = placeOf(`${base}${extra}`);
        if (place.kind === 'target') expect(place.name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/);
        else expect(place).toEqual({ kind: 'nowhere' });
      }),
    );
  });
});

describe('a request comes in', () => {
  test.each([
    {},
    { authority: '127.0.0.1' },
    { authority: '[::1]:7433' },
    { origins: ['http://localhost:7433'] },
    { secure: true, authority: 'gateway.example' },
    { secure: true, loopback: false, authority: 'gateway.example:8443', origins: ['https://gateway.example:8443'] },
  ])('%j', (more) => {
    expect(refusalOf(exchange(more))).toBeUndefined();
  });
});

describe('a request does not come in', () => {
  test.each([
    { loopback: false },
    { authority: '' },
    { authority: '', secure: true },
    { authority: 'gateway.example' },
    { authority: 'localhost.example:7433' },
    { authority: 'localhost:7433.example' },
    { origins: ['http://localhost'] },
    { origins: ['https://localhost:7433'] },
    { origins: ['null'] },
    { origins: [''] },
    { origins: ['http://localhost:7433', 'http://evil.example'] },
    { secure: true, authority: 'gateway.example', origins: ['http://gateway.example'] },
  ])('%j', (more) => {
    expect(refusalOf(exchange(more))).toEqual(expect.any(String));
  });
});
