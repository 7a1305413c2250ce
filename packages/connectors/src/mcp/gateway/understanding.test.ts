import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { argumentMaps } from './arguments.ts';
import { findJson } from './embedded-json.ts';
import { interpret } from './interpret.ts';
import { requestText } from './request-text.ts';
import { isPlainTemplate, isPlainUri } from './resource-uri.ts';
import { canonicalJson, isToolName } from './tool-definition.ts';
import { isPlainName, visibleText } from './visible-text.ts';

const parse = (text: string) => parseStrictJson(text, { bytes: 1e6, depth: 64, inexact: () => {} });

describe('URIs', () => {
  it.each([
    'file:///notes.txt',
    'crm://customers/1',
    'https://example.com/a?b=//c&d=..',
    'urn:isbn:1',
    'x:y',
    'file:///caf%C3%A9/',
    'a://h:80/',
  ])('%s has one way to be written', (uri) => expect(isPlainUri(uri)).toBe(true));

  it.each([
    'http://a/../b',
    'http://a/%2e%2e/b',
    'http://a/%2F',
    'http://A/',
    'http://u@a/',
    'a b:c',
    'x:',
    'file:////a',
    'file:///a//b',
    'x:/a#b',
    'x:/%',
    'x:/%zz',
    'x:/%c3%a9',
    'x:/%FF',
    'x:/\u00e9',
    'X:/a',
    `x:/${'a'.repeat(3_000)}`,
  ])('%s could be taken for another', (uri) => expect(isPlainUri(uri)).toBe(false));

  it('that are plain are what a reader of URLs would make of them', () => {
    const characters = [...'abAZ09-._~:/?@%2EFfe'];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 20 }), (rest) => {
        const uri = `http://host/${rest}`;
        if (isPlainUri(uri)) expect(new URL(uri).href).toBe(uri);
      }),
      { numRuns: 2_000 },
    );
  });

  it('may be templates', () => {
    expect(isPlainTemplate('crm://customers/{id}{?fields*}')).toBe(true);
    expect(isPlainTemplate('crm://customers/{id}\n')).toBe(false);
  });
});

describe('names', () => {
  it('of tools are plain ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        if (isToolName(name)) expect(name).toMatch(/^[\w./-]{1,128}$/);
      }),
    );
    expect(['a', 'a.b', 'A_b-9', 'group/tool'].map(isToolName)).toEqual([true, true, true, true]);
    expect(['', 'a/', '/a', 'a//b', 'a/../b', '..', 'a b'].map(isToolName)).toEqual(Array(7).fill(false));
  });

  it('of prompts are what they look like', () => {
    expect(isPlainName('Sum up: caf\u00e9', 64)).toBe(true);
    for (const name of ['', ' a', 'a\n', 'cafe\u0301', 'a\u200bb', '\u202ea', 'a\u{e0041}']) {
      expect(isPlainName(name, 64)).toBe(false);
    }
  });
});

describe('visible text', () => {
  it('holds nothing that is not seen, and is no longer than it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 40 }), (text, most) => {
        const seen = visibleText(text, most);
        expect(seen.length).toBeLessThanOrEqual(most);
        expect(seen).not.toMatch(/\p{Cf}|\p{Cs}|(?![\n\t])\p{Cc}/u);
      }),
    );
  });
});

describe('arguments', () => {
  it('are all there, each under its own pointer', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (given) => {
        const { texts, numbers } = argumentMaps(given as never);
        for (const [pointer, text] of texts) {
          const path = pointer
            .split('/')
            .slice(1)
            .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
          const at = path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], given);
          const container = Array.isArray(at) ? '[]' : '{}';
          const whole = typeof at === 'object' && at !== null ? container : JSON.stringify(at);
          expect(text).toBe(typeof at === 'string' ? at : whole);
        }
        for (const name of Object.keys(given)) {
          expect(texts.has(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)).toBe(true);
        }
        for (const [pointer, number] of numbers) expect(texts.get(pointer)).toBe(JSON.stringify(number));
      }),
    );
  });

  it('that are too many are refused, rather than decided about in part', () => {
    expect(() => argumentMaps(Array.from({ length: 3_000 }, () => 1))).toThrow(/more than can be decided/);
    expect(() => argumentMaps({ a: 'x'.repeat(70_000) })).toThrow(/more than can be decided/);
    expect(() => argumentMaps({ a: '\ud800' })).toThrow(/Unicode/);
  });
});

describe('JSON in text', () => {
  it('is found with what is around it left alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 }),
        (documents) => {
          const text = documents.map((document, n) => `text ${n}: ${JSON.stringify(document)}`).join('\n');
          const found = findJson(text, parse);
          expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(
            documents.map((each) => JSON.stringify(each)),
          );
        },
      ),
    );
  });

  it('is not looked for without end', () => {
    expect(findJson('{'.repeat(1_000_000), parse)).toEqual([]);
    expect(findJson('[{"a":'.repeat(100_000), parse)).toEqual([]);
  });
});

describe('what is sent', () => {
  it('is what was decided, with an id and a token', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (params, progress) => {
        const body = Buffer.from(JSON.stringify({ method: 'm', params }));
        const sent = JSON.parse(requestText(7, body, progress));
        const { _meta: meta, ...rest } = sent.params;
        fc.pre(!Object.hasOwn(params, '_meta') && !Object.hasOwn(params, '__proto__'));
        expect(sent).toMatchObject({ jsonrpc: '2.0', id: 7, method: 'm' });
        expect(JSON.stringify(rest)).toBe(JSON.stringify(params));
        expect(meta).toEqual(progress ? { progressToken: 7 } : undefined);
      }),
    );
  });
});

describe('a definition', () => {
  it('has one form, in whatever order it came', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined } as never)).toBe('{"b":[1,{"c":"x","d":null}]}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // JSON knows no negative zero.
        expect(JSON.parse(canonicalJson(value as never))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('a text', () => {
  it.each([
    ['tools/call find {"id":1}', 'mcp:tools.call', 'world/find'],
    ['find {"id":1}', 'mcp:tools.call', 'world/find'],
    ['find', 'mcp:tools.call', 'world/find'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find"}}', 'mcp:tools.call', 'world/find'],
    ['resources/read file:///a.txt', 'mcp:resources.read', 'world/file:///a.txt'],
    ['prompts/get sum {"topic":"x"}', 'mcp:prompts.get', 'world/sum'],
    ['tools/list', 'mcp:tools.list', 'world'],
    ['logging/setLevel info', 'mcp:logging', 'world'],
  ])('%s means %s', (text, verb, resource) => {
    const [action] = interpret('world', text, 10_000).actions;
    expect(action).toMatchObject({ verb, resources: [{ id: resource }] });
  });

  it.each([
    '',
    '\u0000',
    '{',
    'find [1]',
    'find {"a":1,"a":2}',
    'resources/read ../x',
    '{"jsonrpc":"2.0","id":1,"method":"x"}',
  ])('%j means nothing', (text) => expect(() => interpret('world', text, 10_000)).toThrow());
});
