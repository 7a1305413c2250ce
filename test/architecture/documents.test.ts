// Documents rot where they name things. Whatever a document names that can be looked up, a path, a link, a heading, a
// function in a file, a script of npm, is looked up here; whether what it says about them is true is for people.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scenes } from '@sluice/demo/tour/scenes/scenes.ts';
import { describe, expect, test } from 'vitest';
import { filesUnder, root } from './source-tree.ts';

const documents = filesUnder('.')
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** The text without fenced blocks, which show input and output rather than name things. */
function prose(text: string): string {
  return text.replace(/^ *(```|~~~)[\s\S]*?^ *\1\s*$/gm, '');
}

/** Paths of the tree that a document names in code spans, whole or with a `:line` behind. */
function namedPaths(text: string): string[] {
  const spans = [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans
    .filter((span) => /^(?:packages|test|docs|examples|scripts|deploy|\.ci)\/[\w@./-]+(?::\d+)?$/.test(span))
    .map((span) => span.replace(/:\d+$/, '').replace(/\/$/, ''));
}

interface Link {
  readonly text: string;
  /** From the root; the document itself for a link within it. */
  readonly file: string;
  readonly fragment: string;
}

/** The document's links to files and headings. */
function links(path: string, text: string): Link[] {
  return [...prose(text).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , target = '']) => !/^[a-z]+:/i.test(target))
    .map(([, label = '', target = '']) => {
      const [file = '', fragment = ''] = target.split('#', 2);
      return {
        text: label,
        file: file === '' ? path : join(dirname(path), decodeURIComponent(file)),
        fragment,
      };
    });
}

/** The fragments that lead to headings of a Markdown file, as GitHub makes them. */
function headings(text: string): string[] {
  return [...prose(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** Parts of a name like `FromClient.decide` in a link's text; none where the text is no name. */
function namesIn(text: string): string[] {
  const name = /^`(#?[A-Za-z_$][\w$]*(?:\.#?[A-Za-z_$][\w$]*)*)(?:\(\))?`$/.exec(text)?.[1];
  return name === undefined ? [] : name.split('.');
}

function contains(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$#])${name.replace('$', '\\$')}(?![\\w$])`).test(text);
}

describe('documents', () => {
  test('name only files and folders that are there', () => {
    const wrong = documents.flatMap(({ path, text }) =>
      [...namedPaths(text), ...links(path, text).map(({ file }) => file)]
        .filter((name) => !existsSync(join(root, name)))
        .map((name) => `${path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('link to headings that are there', () => {
    const wrong = documents.flatMap(({ path, text }) =>
      links(path, text)
        .filter(({ file, fragment }) => fragment !== '' && file.endsWith('.md') && existsSync(join(root, file)))
        .filter(({ file, fragment }) => !headings(readFileSync(join(root, file), 'utf8')).includes(fragment))
        .map(({ file, fragment }) => `${path}: ${file}#${fragment}`),
    );
    expect(wrong).toEqual([]);
  });

  test('link a name in the code to a file in which it occurs', () => {
    const wrong = documents.flatMap(({ path, text }) =>
      links(path, text)
        .filter(({ file }) => file.endsWith('.ts') && existsSync(join(root, file)))
        .flatMap(({ text: label, file }) => {
          const code = readFileSync(join(root, file), 'utf8');
          return namesIn(label)
            .filter((name) => !contains(code, name))
            .map((name) => `${path}: ${name} in ${file}`);
        }),
    );
    expect(wrong).toEqual([]);
  });

  test('name only scripts that npm knows here', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const wrong = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm run ([\w:-]+)/g)]
        .filter(([, script = '']) => scripts[script] === undefined)
        .map(([named]) => `${path}: ${named}`),
    );
    expect(wrong).toEqual([]);
  });

  test('show steps of the tour that it really has', () => {
    const shown = documents.flatMap(({ text }) =>
      [...text.matchAll(/^(\d) {2}(.+)$/gm)].map(([, step = '', title = '']) => [Number(step), title] as const),
    );
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter(([step, title]) => scenes[step - 1]?.title !== title)).toEqual([]);
  });
});

describe('the rules for documents', () => {
  test('see spans and links, but not what is in fenced blocks', () => {
    const text = 'see `test/harness/postgres.ts:12`, `packages/core/` and `npm test`\n```\n`docs/no` [a](b.md)\n```\n';
    expect(namedPaths(text)).toEqual(['test/harness/postgres.ts', 'packages/core']);
    expect(links('x.md', text)).toEqual([]);
  });

  test('follow links from where they stand', () => {
    expect(links('docs/cli.md', '[a](../README.md#start) [b](https://x.test/y) [c](#here) [d](api.md)')).toEqual([
      { text: 'a', file: 'README.md', fragment: 'start' },
      { text: 'c', file: 'docs/cli.md', fragment: 'here' },
      { text: 'd', file: 'docs/api.md', fragment: '' },
    ]);
  });

  test('make fragments of headings', () => {
    expect(headings('# What for?\n\n## `sluice` and _you_: a start\n')).toEqual([
      'what-for',
      'sluice-and-_you_-a-start',
    ]);
  });

  test('take names, with their class or without, for names', () => {
    expect(namesIn('`FromClient.decide`')).toEqual(['FromClient', 'decide']);
    expect(namesIn('`#inTransaction`')).toEqual(['#inTransaction']);
    expect(namesIn('`order`')).toEqual(['order']);
    expect(namesIn('the order')).toEqual([]);
    expect(contains('const reorder = 1;', 'order')).toBe(false);
    expect(contains('  #inTransaction(): boolean {', '#inTransaction')).toBe(true);
  });
});
