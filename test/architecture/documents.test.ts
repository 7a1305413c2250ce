import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesUnder, root } from './source-tree.ts';

const documents = filesUnder('.').filter((path) => path.endsWith('.md'));

/** Paths of the tree that a document names in code spans, whole or with a `:line` behind. */
function namedPaths(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans
    .filter((span) => /^(?:packages|test|docs|examples|scripts|deploy|\.ci)\/[\w@./-]+$/.test(span))
    .map((span) => span.replace(/\/$/, ''));
}

/** Targets of the document's links that lead to files, seen from the document. */
function linkedPaths(path: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/i.test(target))
    .map((target) => join(dirname(path), decodeURIComponent(target)));
}

describe('documents', () => {
  test('name only files and folders that are there', () => {
    const wrong = documents.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const named = [...namedPaths(text), ...linkedPaths(path, text)];
      return named.filter((name) => !existsSync(join(root, name))).map((name) => `${path}: ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('and the rule sees spans and links', () => {
    expect(namedPaths('see `test/harness/postgres.ts`, `packages/core/` and `npm test`')).toEqual([
      'test/harness/postgres.ts',
      'packages/core',
    ]);
    expect(linkedPaths('docs/cli.md', '[a](../README.md#start) [b](https://x.test/y) [c](#here) [d](api.md)')).toEqual([
      'README.md',
      'docs/api.md',
    ]);
  });
});
