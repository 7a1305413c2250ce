import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSource, readSources, root, type Source } from './source-tree.ts';

interface Rule {
  readonly may: readonly string[];
  /** Only `import type` from these: an interface, so that the part behind it is put in by the composition root. */
  readonly types?: readonly string[];
  /** Node's own modules: all, none, or all but those that do I/O. */
  readonly node: 'all' | 'none' | 'pure';
}

/** Who may import whom. Every folder may import itself. `connectors/*` and `server/*` stand for each folder there. */
const table: Readonly<Record<string, Rule>> = {
  'core/domain': { may: [], node: 'none' },
  'core/contract': { may: ['core/domain'], node: 'none' },
  'core/approvals': { may: ['core/domain', 'core/contract'], node: 'none' },
  'core/masking': { may: ['core/domain', 'core/contract'], node: 'none' },
  'core/recording': { may: ['core/domain', 'core/contract'], node: 'none' },
  'core/audit': { may: ['core/domain', 'core/contract'], node: 'none' },
  'core/pipeline': { may: ['core'], node: 'none' },
  policy: { may: ['core/domain', 'core/contract'], node: 'all' },
  'connectors/wire': { may: ['core/domain'], types: ['core/contract'], node: 'pure' },
  'connectors/sql': { may: ['core/domain'], types: ['core/contract'], node: 'pure' },
  'connectors/*': { may: ['core/domain', 'core/contract', 'connectors/wire', 'connectors/sql'], node: 'pure' },
  // The list of what ships.
  connectors: { may: ['core/domain', 'core/contract', 'connectors'], node: 'none' },
  'server/*': { may: ['core', 'policy', 'api'], types: ['server'], node: 'all' },
  // The composition root.
  server: { may: ['core', 'policy', 'api', 'connectors', 'server'], node: 'all' },
  api: { may: ['core/domain'], node: 'all' },
  // The command starts the gateway and the demo, and otherwise speaks to the API.
  cli: { may: ['api', 'core/domain', 'core/contract', 'core/recording', 'server', 'demo'], node: 'all' },
  demo: { may: ['api', 'core/domain', 'core/contract', 'core/recording', 'server'], node: 'all' },
};

/** What a connector must not do by itself: sockets, files, processes, environment. */
const impure = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'os',
].concat(['process', 'readline', 'repl', 'tls', 'tty', 'vm', 'wasi', 'worker_threads', 'sqlite', 'module']);

/** `packages/server/src/store/rows.ts` is in `server/store`; files directly under `src` are in `server`. */
function folder(path: string): string | undefined {
  const match = /^packages\/([a-z]+)\/src\/(?:([^/]+)\/)?/.exec(path);
  if (!match) return undefined;
  const [, name = '', part] = match;
  return part !== undefined && ['core', 'connectors', 'server'].includes(name) ? `${name}/${part}` : name;
}

function ruleFor(from: string): Rule | undefined {
  return table[from] ?? table[`${from.split('/')[0]}/*`];
}

/** What one file imports that it may not, one line each. */
function breaches(source: Source): string[] {
  const from = folder(source.path);
  // The declarations of the platform's globals belong to no folder.
  if (from === undefined || from === 'core') return [];
  const rule = ruleFor(from);
  if (!rule) return [`${source.path}: folder ${from} is not in the table`];
  return source.imports.flatMap((found) => {
    const at = `${source.path}:${found.line} (${from}) may not import ${found.specifier}`;
    if (found.file === undefined) return packageAllowed(source.path, from, rule, found.specifier) ? [] : [at];
    const to = folder(found.file);
    if (to === undefined) return [at];
    if (to === from || rule.may.some((other) => to === other || to.startsWith(`${other}/`))) return [];
    const asType = rule.types?.some((other) => to === other || to.startsWith(`${other}/`)) ?? false;
    if (asType && found.typeOnly) return [];
    return [asType ? `${at}, except as a type` : at];
  });
}

const builtin = new Set(builtinModules);

/** Node's HTTP servers also serve streams they are handed; that none of them listens or dials is a test of its own. */
function serversOnStreams(path: string): boolean {
  return path.startsWith('packages/connectors/src/wire/http/');
}

function packageAllowed(path: string, from: string, rule: Rule, specifier: string): boolean {
  const [owner = ''] = from.split('/');
  if (specifier.startsWith('node:') || builtin.has(specifier)) {
    const module = specifier.replace('node:', '').split('/')[0] ?? '';
    if (rule.node === 'pure') return !impure.includes(module) || (serversOnStreams(path) && /^http2?$/.test(module));
    return rule.node === 'all' && specifier.startsWith('node:');
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return owner !== 'core' && dependencies(owner)[name] !== undefined;
}

function dependencies(name: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).dependencies ?? {};
}

const sources = readSources('packages');
const shipped = sources.filter(({ test: onlyTest }) => !onlyTest);

describe('imports', () => {
  test('follow the table', () => {
    expect(shipped.flatMap(breaches)).toEqual([]);
  });

  test('name files that exist, with their extension', () => {
    const missing = [...sources, ...readSources('test', 'scripts')].flatMap((source) =>
      source.imports
        .filter(({ file }) => file !== undefined && !existsSync(join(root, file)))
        .map(({ specifier, line }) => `${source.path}:${line} imports ${specifier}`),
    );
    expect(missing).toEqual([]);
  });

  test('have no cycle, not even of types', () => {
    expect(
      cycles(new Map(shipped.map((source) => [source.path, source.imports.flatMap(({ file }) => file ?? [])]))),
    ).toEqual([]);
  });

  test('are never built from anything but a literal', () => {
    const computed = shipped.filter(({ text }) => /\bimport\(\s*[^'")\s]/.test(text) || /\brequire\(/.test(text));
    expect(computed.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ['packages/core/src/masking/x.ts', "import '../recording/seal.ts';"],
    ['packages/core/src/domain/x.ts', "import { z } from 'zod';"],
    ['packages/core/src/pipeline/x.ts', "import { randomBytes } from 'node:crypto';"],
    ['packages/connectors/src/postgres/x.ts', "import net from 'node:net';"],
    ['packages/connectors/src/postgres/x.ts', "import { promises } from 'fs';"],
    ['packages/connectors/src/http/x.ts', "import { createServer } from 'node:http';"],
    ['packages/connectors/src/wire/http/x.ts', "import { connect } from 'node:net';"],
    ['packages/connectors/src/ssh/x.ts', "import type { Fields } from '../postgres/protocol/fields.ts';"],
    ['packages/connectors/src/wire/x.ts', "export * from '@sluice/core/contract/link.ts';"],
    ['packages/server/src/store/x.ts', "import { load } from '../policy/load.ts';"],
    ['packages/server/src/store/x.ts', "import { x } from '@sluice/connectors/postgres/connector.ts';"],
    ['packages/policy/src/x.ts', "const x = await import('@sluice/server/main.ts');"],
    ['packages/policy/src/x.ts', "import { z } from 'zod';"],
    ['packages/cli/src/x.ts', "type X = import('@sluice/policy/engine.ts').Engine;"],
  ])('the table catches, in %s: %s', (path, text) => {
    expect(breaches(parseSource(path, text))).toHaveLength(1);
  });

  test('what comes with libraries opens no socket in a connector either', () => {
    // Servers are handed streams, and clients of libraries get theirs from the session.
    const opening =
      /[sS]erver\)?\.listen\(|\b(?:createConnection|setGlobalDispatcher)\(|await fetch\(|\b(?:http2?|https|net|tls)\.(?:connect|request|get)\(/;
    const found = shipped
      .filter(({ path }) => path.startsWith('packages/connectors/'))
      .flatMap(({ path, text }) =>
        text.split('\n').flatMap((line, index) => (opening.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(found).toEqual([]);
  });

  test('a ring of three files is found', () => {
    const ring = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', []],
    ]);
    expect(cycles(ring)).toEqual(['a -> b -> c -> a']);
  });
});

/** One line per cycle met on a depth-first walk. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string) => {
    if (done.has(node)) return;
    const at = path.indexOf(node);
    if (at >= 0) {
      found.push([...path.slice(at), node].join(' -> '));
      return;
    }
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}
