import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { parseSource, place, readSources, type Source, walk } from './source-tree.ts';

const shipped = readSources('packages', 'scripts').filter(({ test: onlyTest }) => !onlyTest);

/** Places of the nodes that `matches` picks out, over all sources. */
function placesOf(sources: readonly Source[], matches: (node: ts.Node, source: Source) => boolean): string[] {
  return sources.flatMap((source) => {
    const found: string[] = [];
    walk(source.tree, (node) => {
      if (matches(node, source)) found.push(place(source, node));
    });
    return found;
  });
}

const isAny = (node: ts.Node) => node.kind === ts.SyntaxKind.AnyKeyword;
const isBang = (node: ts.Node) =>
  ts.isNonNullExpression(node) ||
  ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) && !!node.exclamationToken);
const isProcessEnv = (node: ts.Node) =>
  (ts.isPropertyAccessExpression(node) && node.expression.getText() === 'process' && node.name.text === 'env') ||
  (ts.isElementAccessExpression(node) && node.expression.getText() === 'process') ||
  (ts.isVariableDeclaration(node) &&
    ts.isObjectBindingPattern(node.name) &&
    /\bprocess$/.test(node.initializer?.getText() ?? ''));
const castsTo = (name: string) => (node: ts.Node) =>
  (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) &&
  new RegExp(`\\b${name}\\b`).test(node.type.getText());

describe('shipped code', () => {
  test('has no any and asserts no value to be there', () => {
    expect(placesOf(shipped, (node) => isAny(node) || isBang(node))).toEqual([]);
  });

  test('silences neither the compiler nor the linter', () => {
    const silencing = /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|eslint-disable/;
    expect(shipped.filter(({ text }) => silencing.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('reads the environment in one place of the server and one of the command', () => {
    const readers = placesOf(shipped, isProcessEnv).map((at) => at.replace(/:\d+$/, ''));
    const allowed = (path: string) =>
      path.startsWith('packages/server/src/config/') || path === 'packages/cli/src/env.ts';
    expect(readers.filter((path) => !allowed(path))).toEqual([]);
    expect(new Set(readers.filter((path) => path.startsWith('packages/server/'))).size).toBeLessThanOrEqual(1);
  });

  test('uses nothing of Node in core', () => {
    const core = shipped.filter(({ path }) => path.startsWith('packages/core/'));
    const nodeGlobals = new Set(['process', 'Buffer', 'setImmediate', 'global', '__dirname', '__filename', 'require']);
    const isGlobal = (node: ts.Node) =>
      ts.isIdentifier(node) &&
      nodeGlobals.has(node.text) &&
      !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) &&
      !ts.isPropertyAssignment(node.parent) &&
      !ts.isPropertySignature(node.parent);
    expect(placesOf(core, isGlobal)).toEqual([]);
  });

  test('catches no error only to drop it', () => {
    const empty = (node: ts.Node) =>
      ts.isCatchClause(node) && node.block.statements.length === 0 && !/\/[/*]/.test(node.block.getText());
    expect(placesOf(shipped, empty)).toEqual([]);
  });
});

describe('permits', () => {
  const outside = shipped.filter(({ path }) => !path.startsWith('packages/core/src/pipeline/'));

  test('are made and spent in the pipeline only', () => {
    const users = outside.filter(({ imports }) =>
      imports.some(({ file }) => file === 'packages/core/src/pipeline/permit.ts'),
    );
    expect(users.map(({ path }) => path)).toEqual([]);
    const makers = shipped.filter(
      ({ imports, text }) =>
        imports.some(({ file }) => file === 'packages/core/src/pipeline/permit.ts') && /\bmint\(/.test(text),
    );
    expect(makers.map(({ path }) => path)).toHaveLength(1);
  });

  test('are not made of anything else by a cast', () => {
    expect(placesOf(outside, castsTo('Permit'))).toEqual([]);
  });
});

describe('the rules of this file', () => {
  test.each([
    ['const x = y as any;', isAny],
    ['const x = y!.z;', isBang],
    ['class A { x!: string }', isBang],
    ["const x = process.env['X'];", isProcessEnv],
    ["const x = process['env'];", isProcessEnv],
    ['const { env } = process;', isProcessEnv],
    ['const { env } = globalThis.process;', isProcessEnv],
    ['send({ unit: 1, session: "s" } as unknown as Permit);', castsTo('Permit')],
  ])('catch %s', (text, matches) => {
    expect(placesOf([parseSource('x.ts', text)], matches)).not.toEqual([]);
  });
});
