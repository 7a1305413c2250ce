import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSource, place, readSources, root, type Source, walk } from './source-tree.ts';

const folder = 'packages/connectors/src';
/** Every folder of a protocol, that is: all but what protocols have in common. */
const ids = readdirSync(join(root, folder), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'wire' && entry.name !== 'sql')
  .map(({ name }) => name);

/** The gateway's own store may be a PostgreSQL too; its kind is not a connector's id. */
function isStoreKind(source: Source, node: ts.Node): boolean {
  if (source.path.startsWith('packages/server/src/store/')) return true;
  const { parent } = node;
  const holder = ts.isLiteralTypeNode(parent) ? parent.parent : parent;
  return (ts.isPropertyAssignment(holder) || ts.isPropertySignature(holder)) && holder.name.getText() === 'kind';
}

/** A path into the connector's folder; what connectors share may bear the name of a protocol. */
function pathInto(id: string): RegExp {
  return new RegExp(`(?<!/wire)/${id}/`);
}

/** The scheme of a URL, chosen beside its secure form, and OpenAPI's name for a way to authenticate (`type`, `scheme`). */
function isScheme(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isConditionalExpression(parent)) return /'https'|'http'/.test(parent.whenTrue.getText());
  return (
    ts.isPropertyAssignment(parent) &&
    parent.name.getText() === 'type' &&
    ts.isObjectLiteralExpression(parent.parent) &&
    parent.parent.properties.some((property) => property.name?.getText() === 'scheme')
  );
}

/** Places where a literal is, or a path leads to, the id of a connector. */
function spellings(source: Source, id: string): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    const spelt =
      (ts.isStringLiteralLike(node) && (node.text === id || pathInto(id).test(node.text))) ||
      (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === id) ||
      (ts.isPropertySignature(node) && ts.isIdentifier(node.name) && node.name.text === id) ||
      (ts.isPropertyAccessExpression(node) && node.name.text === id);
    if (spelt && !isStoreKind(source, node) && !isScheme(node)) found.push(place(source, node));
  });
  return found;
}

describe('the id of a connector', () => {
  let sources: readonly Source[] = [];
  beforeAll(() => {
    sources = readSources('packages');
  });
  // So many trees are not kept for the files that this process runs next.
  afterAll(() => {
    sources = [];
  });

  test.each(ids)('%s is spelled in its folder and in the list of what ships, and nowhere else', (id) => {
    const elsewhere = sources.filter(
      ({ path, test: onlyTest }) =>
        !onlyTest &&
        !path.startsWith(`${folder}/${id}/`) &&
        // What several connectors need of a protocol.
        !path.startsWith(`${folder}/wire/${id}/`) &&
        path !== `${folder}/index.ts` &&
        // The demo is an example: one target of one protocol.
        !path.startsWith('packages/demo/'),
    );
    expect(elsewhere.length).toBeGreaterThan(100);
    expect(elsewhere.flatMap((source) => spellings(source, id))).toEqual([]);
  });

  test.each([
    "if (target.connector === 'postgres') return;",
    'const { port } = config.listen.postgres;',
    'const listen = { postgres: 5432 };',
    "import { x } from '@sluice/connectors/postgres/connector.ts';",
    'type Listen = { postgres: string };',
  ])('is found in: %s', (text) => {
    expect(spellings(parseSource('packages/server/src/listen/x.ts', text), 'postgres')).toHaveLength(1);
  });

  test('is not confused with the kind of the store', () => {
    expect(
      spellings(parseSource('packages/server/src/main.ts', "open({ kind: 'postgres', url });"), 'postgres'),
    ).toEqual([]);
  });
});
