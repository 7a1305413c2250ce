// docs/errors.md lists every code that an error of the project can have. The codes are closed unions of types, so the
// compiler's own API says which there are; the page must list these and no others.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { readSources, root, walk } from './source-tree.ts';

interface ErrorClass {
  readonly name: string;
  readonly path: string;
  readonly codes: readonly string[];
}

/** Classes that are `SluiceError<…>` of a union of codes. */
function errorClasses(): ErrorClass[] {
  const sources = readSources('packages').filter(
    ({ test: onlyTest, text }) => !onlyTest && /extends SluiceError</.test(text),
  );
  const configFile = join(root, 'tsconfig.json');
  const config = ts.parseJsonConfigFileContent(ts.readConfigFile(configFile, ts.sys.readFile).config, ts.sys, root);
  const program = ts.createProgram(
    sources.map(({ path }) => join(root, path)),
    { ...config.options, noEmit: true },
  );
  const checker = program.getTypeChecker();
  return sources.flatMap(({ path }) => {
    const tree = program.getSourceFile(join(root, path));
    const found: ErrorClass[] = [];
    if (!tree) throw new Error(`${path} could not be read`);
    walk(tree, (node) => {
      if (!ts.isClassDeclaration(node) || !node.name) return;
      const base = node.heritageClauses?.flatMap(({ types }) => types)[0];
      if (base?.expression.getText(tree) !== 'SluiceError') return;
      const codes = base.typeArguments?.[0];
      if (!codes) throw new Error(`${path}: ${node.name.text} has no closed set of codes`);
      found.push({ name: node.name.text, path, codes: literalsOf(checker.getTypeAtLocation(codes), node.name.text) });
    });
    return found;
  });
}

function literalsOf(type: ts.Type, name: string): string[] {
  const parts = type.isUnion() ? type.types : [type];
  return parts
    .map((part) => {
      if (!part.isStringLiteral()) throw new Error(`a code of ${name} is not a literal`);
      return part.value;
    })
    .sort();
}

interface Section {
  readonly name: string;
  readonly path: string;
  readonly rows: readonly (readonly string[])[];
}

/** Sections ``## `Name` `` that link to the file of the class, with a table of codes each. */
function sections(text: string): Section[] {
  return text.split(/^## /m).flatMap((section) => {
    const name = /^`(\w+)`/.exec(section)?.[1];
    if (name === undefined) return [];
    const path = /\]\(\.\.\/(packages\/[^)]+\.ts)\)/.exec(section)?.[1] ?? '';
    const rows = section.split('\n').flatMap((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      const code = /^`([a-z_]+)`$/.exec(cells[1] ?? '')?.[1];
      return code === undefined ? [] : [[code, ...cells.slice(2, -1)]];
    });
    return [{ name, path, rows }];
  });
}

/** The SQLSTATEs that a constant of a file gives to codes. */
function sqlstates(path: string, constant: string): Record<string, string> {
  const found: Record<string, string> = {};
  const source = readSources('packages/connectors').find((each) => each.path === path);
  if (!source) throw new Error(`there is no ${path}`);
  walk(source.tree, (node) => {
    if (!ts.isVariableDeclaration(node) || node.name.getText() !== constant) return;
    if (!node.initializer || !ts.isObjectLiteralExpression(node.initializer)) return;
    for (const property of node.initializer.properties) {
      if (ts.isPropertyAssignment(property) && ts.isStringLiteral(property.initializer)) {
        found[property.name.getText()] = property.initializer.text;
      }
    }
  });
  return found;
}

const classes = errorClasses();
const page = sections(readFileSync(join(root, 'docs/errors.md'), 'utf8'));
const codesOf = (name: string) => page.find((section) => section.name === name)?.rows.map(([code]) => code) ?? [];

describe('the page of errors', () => {
  test('has a section for every class of errors, with its file, and none for others', () => {
    const there = page.map(({ name, path }) => `${name} ${path}`);
    expect(there.sort()).toEqual(classes.map(({ name, path }) => `${name} ${path}`).sort());
  });

  test.each(classes)('lists the codes of $name and no others', ({ name, codes }) => {
    expect([...codesOf(name)].sort()).toEqual(codes);
  });

  test('says of each whose fault it is and what to do', () => {
    const wrong = page.flatMap(({ name, rows }) =>
      rows
        .filter((row) => {
          const [, fault = ''] = row;
          const known = fault.split(', ').every((one) => ['client', 'upstream', 'policy', 'gateway'].includes(one));
          return !known || (row.at(-1) ?? '').length < 10;
        })
        .map(([code]) => `${name} ${code}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ['CoreError', 'packages/connectors/src/postgres/login/refusal.ts', 'states'],
    ['MeaningError', 'packages/connectors/src/postgres/meaning/error.ts', 'sqlstates'],
  ])('gives %s the SQLSTATEs that clients of PostgreSQL get', (name, path, constant) => {
    const rows = page.find((section) => section.name === name)?.rows ?? [];
    const written = Object.fromEntries(rows.map(([code = '', , state = '']) => [code, state]));
    expect(written).toEqual(sqlstates(path, constant));
  });
});
