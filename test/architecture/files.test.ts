import { basename } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { filesUnder, folderOf, readSources } from './source-tree.ts';

const sources = readSources('packages', 'test', 'scripts');
const shipped = sources.filter(({ path, test: onlyTest }) => !onlyTest && path.startsWith('packages/'));
const lengths = shipped.map(({ lines }) => lines).sort((a, b) => a - b);
const percentile = (share: number) => lengths[Math.floor(lengths.length * share)] ?? 0;

const forbidden = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'shared',
  'manager',
  'managers',
  'impl',
  'misc',
  'v2',
];

describe('files', () => {
  test('are never longer than 500 lines', () => {
    expect(sources.filter(({ lines }) => lines > 500).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  test('are short: half of them near a hundred lines, nine in ten under 300', () => {
    expect(percentile(0.5)).toBeLessThanOrEqual(130);
    expect(percentile(0.9)).toBeLessThanOrEqual(300);
  });

  test('and folders have names that say what is in them', () => {
    const parts = (path: string) => path.toLowerCase().split(/[/.]|-(?=[^/]*$)/);
    const paths = ['packages', 'test', 'scripts', 'docs', 'examples'].flatMap(filesUnder);
    expect(paths.filter((path) => parts(path).some((part) => forbidden.includes(part)))).toEqual([]);
  });

  test('that only pass on what others export do not exist, but for the list of connectors', () => {
    const barrels = shipped.filter(
      ({ path, tree }) =>
        path !== 'packages/connectors/src/index.ts' &&
        tree.statements.length > 0 &&
        tree.statements.every((statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier),
    );
    expect(barrels.map(({ path }) => path)).toEqual([]);
    expect(shipped.map(({ path }) => path).filter((path) => basename(path) === 'index.ts')).toEqual(
      shipped.some(({ path }) => path === 'packages/connectors/src/index.ts')
        ? ['packages/connectors/src/index.ts']
        : [],
    );
  });

  test('of every folder include one that opens by saying what the folder is and what it is not', () => {
    const folders = new Set(shipped.map(({ path }) => folderOf(path)));
    const telling = new Set(
      shipped.filter(({ text }) => opening(text).length >= 120).map(({ path }) => folderOf(path)),
    );
    expect([...folders].filter((folder) => !telling.has(folder))).toEqual([]);
  });
});

/** The text of the comment that a file begins with; empty when it begins with code. */
function opening(text: string): string {
  const ranges = ts.getLeadingCommentRanges(text, 0) ?? [];
  return ranges.map(({ pos, end }) => text.slice(pos, end)).join('\n');
}
