// The project's own sources as the architecture tests see them: every TypeScript file with its syntax tree and its
// imports resolved to files. It reads and parses; what is allowed is written in the tests beside it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import ts from 'typescript';

export const root = resolve(import.meta.dirname, '../..');

export interface Import {
  readonly specifier: string;
  /** Path of the file from the root; undefined for packages and Node's own modules. */
  readonly file?: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Source {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
  /** Tests and what only tests use. */
  readonly test: boolean;
}

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.sluice']);

/** Every file below a folder of the root, from the root, sorted. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !skipped.has(name));
  return entries
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : [];
    })
    .sort();
}

export function isTest(path: string): boolean {
  return path.startsWith('test/') || /\.test\.ts$|\/testing\/|\/fixtures\.ts$/.test(path);
}

export function readSources(...folders: string[]): Source[] {
  return folders
    .flatMap(filesUnder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

export function parseSource(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  return {
    path,
    text,
    lines: text.split('\n').length - 1,
    tree,
    imports: findImports(path, tree),
    test: isTest(path),
  };
}

/** Calls `visitor` for every node of the tree. */
export function walk(tree: ts.Node, visitor: (node: ts.Node) => void): void {
  visitor(tree);
  ts.forEachChild(tree, (child) => walk(child, visitor));
}

/** `path:line` of a node, as editors open it. */
export function place(source: Source, node: ts.Node): string {
  return `${source.path}:${lineOf(source.tree, node)}`;
}

function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

function findImports(path: string, tree: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean, node: ts.Node) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const file = resolveSpecifier(path, specifier.text);
    imports.push({ specifier: specifier.text, ...(file && { file }), typeOnly, line: lineOf(tree, node) });
  };
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause), node);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, node);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true, node);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, node);
    }
  });
  return imports;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return !clause.name && !!named && ts.isNamedImports(named) && named.elements.every((element) => element.isTypeOnly);
}

function resolveSpecifier(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const own = /^@sluice\/([a-z]+)\/(.+)$/.exec(specifier);
  return own ? `packages/${own[1]}/src/${own[2]}` : undefined;
}

/** The folder of a path, from the root. */
export function folderOf(path: string): string {
  return relative(root, dirname(join(root, path)));
}
