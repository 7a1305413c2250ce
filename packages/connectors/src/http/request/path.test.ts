import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointOf, judgePath } from './path.ts';
import { readParameters, sentQuery } from './query.ts';

const raw = fc.oneof(
  fc.webPath(),
  fc
    .array(
      fc.constantFrom(
        '/',
        '.',
        '..',
        'a',
        '%2e',
        '%2f',
        '%5c',
        '%25',
        '%',
        '%00',
        ';',
        '\\',
        '%c0%af',
        '%ef%bc%8f',
        ' ',
        'é',
        ':',
        '+',
      ),
      {
        maxLength: 10,
      },
    )
    .map((parts) => `/${parts.join('')}`),
);

describe('a path', () => {
  test('is refused, or has one form that reads back as the same', () => {
    fc.assert(
      fc.property(raw, (path) => {
        let judged: ReturnType<typeof judgePath>;
        try {
          judged = judgePath(path);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_request' });
          return;
        }
        const again = judgePath(judged.sent);
        expect(again).toEqual(judged);
        expect(judged.sent).toMatch(/^\/[\x21-\x7e]*$/);
        expect(judged.sent).not.toMatch(/\/\/|\\|;|[?#]|%2f|%5c|%00/i);
        // Whatever a URL parser makes of it, it is the same path.
        expect(new URL(judged.sent, 'http://x').pathname).toBe(judged.sent);
        for (const segment of decodeURIComponent(judged.sent).slice(1).split('/'))
          expect(segment).not.toMatch(/^\.\.?$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is a chain of resources', () => {
    expect(endpointOf('crm', judgePath('/v1/customers/42').segments)).toEqual({
      type: 'Endpoint',
      id: 'crm/v1/customers/42',
      parent: {
        type: 'Endpoint',
        id: 'crm/v1/customers',
        parent: { type: 'Endpoint', id: 'crm/v1', parent: { type: 'Target', id: 'crm' } },
      },
    });
    expect(endpointOf('crm', judgePath('/').segments)).toEqual({ type: 'Target', id: 'crm' });
  });
});

test('a query is refused, or is written in one form that reads back as the same', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webQueryParameters(), fc.string()), (query) => {
      let judged: ReturnType<typeof readParameters>;
      try {
        judged = readParameters(query, 'The query', true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad_request' });
        return;
      }
      const sent = sentQuery(judged);
      expect(readParameters(sent.slice(1), 'The query', true)).toEqual(judged);
      expect(sent).toMatch(/^$|^\?[\x21-\x7e]*$/);
      const platform = [...new URLSearchParams(sent)];
      expect(platform).toEqual(judged.pairs.map(([name, value]) => [name, value ?? '']));
    }),
    { numRuns: 2_000 },
  );
});
