import { policySetTextToParts } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asPermit, cut, partsOf } from './pieces.ts';
import { tokens } from './tokens.ts';

const cutText = (text: string): string[] => cut({ path: 'x', text }).map((piece) => piece.text);

/** Text made of what could confuse a cutter. */
const tricky = fc
  .array(
    fc.constantFrom(
      'permit(principal,action,resource)',
      '@id("a")',
      ';',
      '"',
      '\\',
      '//',
      '\n',
      '\r',
      '"a;b"',
      '"//"',
      'when{',
      '}',
      ' ',
      '==',
      'action',
      'Action::"read"',
      'é𝄞',
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));

test('what is cut keeps every character that is not a blank or a comment, in order', () => {
  fc.assert(
    fc.property(fc.oneof(tricky, fc.string({ unit: 'binary' })), (text) => {
      const found = tokens(text);
      let from = 0;
      for (const token of [...found, { text: '', start: text.length, end: text.length }]) {
        expect(text.slice(from, token.start)).toMatch(/^(?:[\s\uFEFF]|\/\/[^\n\r]*)*$/);
        expect(text.slice(token.start, token.end)).toBe(token.text);
        from = token.end;
      }
      const pieces = cut({ path: 'x', text });
      expect(pieces.flatMap((piece) => piece.tokens.map((token) => token.text))).toEqual(
        found.map((each) => each.text),
      );
      for (const piece of pieces) {
        for (const token of piece.tokens) expect(piece.text.slice(token.start, token.end)).toBe(token.text);
      }
    }),
  );
});

test('where Cedar reads a file as policies, it is cut into just those', () => {
  const policy = fc.constantFrom(
    'permit(principal,action,resource);',
    '@id("a;b") permit(principal, action == Action::"x;y//", resource);',
    'forbid(principal,action,resource) when { "\\";//" like ";" };',
    'permit(principal,action,resource) // ; "\n;',
    'permit(principal,action,resource) // ; "\r unless { true };',
  );
  const between = fc.constantFrom('', '\n', '// permit(principal,action,resource);\n', '//"\r', '\t// é ; \r\n');
  fc.assert(
    fc.property(fc.array(fc.tuple(between, policy)), (parts) => {
      const text = parts.flat().join('');
      const whole = policySetTextToParts(text);
      expect(whole.type).toBe('success');
      expect(cutText(text)).toEqual(parts.map(([, one]) => one));
    }),
  );
});

test('places point into the file, whatever was exchanged before them', () => {
  const text =
    '// é\n@id("x")permit(principal,action==Action::"read",resource in B::"𝄞")when{action==Action::"write"};';
  const [piece] = cut({ path: 'x', text });
  expect(piece?.cedar).toContain('action in Action::"read"');
  expect(piece?.cedar).toContain('{action in Action::"write"}');
  const byteOf = (needle: string): number =>
    new TextEncoder().encode(piece?.cedar.slice(0, piece.cedar.indexOf(needle))).length;
  const columnOf = (needle: string): number => text.split('\n')[1]!.indexOf(needle) + 1;
  for (const needle of ['permit', 'principal', 'resource', 'B::', 'when', '"write"', '};']) {
    expect(piece?.placeOfByte(byteOf(needle))).toEqual({ line: 2, column: columnOf(needle) });
  }
});

test('only a class compared with the action itself is exchanged', () => {
  const kept = [
    'permit(principal, action == Action::"sql:select", resource);',
    'permit(principal, action, resource) when { context.action == Action::"read" };',
    'permit(principal, action, resource) when { "action == Action::\\"read\\"" == "" };',
    'permit(principal, action, resource); // action == Action::"read"',
  ];
  for (const text of kept) expect(cut({ path: 'x', text })[0]?.cedar).toBe(text.replace(/ \/\/.*/, ''));
});

test('parts are told apart, commas and braces inside them notwithstanding', () => {
  const text = `@reason("when (a, b) {") forbid (principal is User in Group::"a,b", // one, two
    action in [Action::"x", Action::"y"], resource)
    when { context.f(1, [2]) && "}" == "{" } unless { if true then {a: 1} has a else false };`;
  expect(partsOf(text)).toEqual({
    principal: 'principal is User in Group::"a,b"',
    action: expect.stringMatching(/^\/\/ one, two\s+action in \[Action::"x", Action::"y"\]$/),
    resource: 'resource',
    conditions: ['when { context.f(1, [2]) && "}" == "{" }', 'unless { if true then {a: 1} has a else false }'],
  });
  expect(asPermit(text)).toMatch(/^permit \(principal is User[\s\S]*else false \};$/);
});
