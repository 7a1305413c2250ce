import { z } from 'zod';
import { buildSchema } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';

type Json = Readonly<Record<string, unknown>>;

/** The JSON Schema of sluice.yaml (draft 2020-12) for editors, as the text of a file. */
export function renderEditorSchema(connectors: readonly KnownConnector[]): string {
  const schema = editorSchema(connectors);
  return `${layOut({ ...schema, title: 'sluice.yaml' }, '', 0)}\n`;
}

const pageWidth = 120;

/** JSON as the formatter of this repository leaves it: short lists of plain values on one line. `before`: columns taken. */
function layOut(value: unknown, indent: string, before: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((item) => layOut(item, inner, inner.length))
    : Object.entries(value).map(([key, item]) => {
        const label = `${JSON.stringify(key)}: `;
        return `${label}${layOut(item, inner, inner.length + label.length)}`;
      });
  if (items.length === 0) return `${open}${close}`;
  const short = `[${items.join(', ')}]`;
  const plain = Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
  // One more column for the comma that may follow.
  if (plain && before + short.length + 1 <= pageWidth) return short;
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indent}${close}`;
}

/** Every key of sluice.yaml as Markdown: one heading and one table for each section. */
export function renderKeys(connectors: readonly KnownConnector[]): string {
  const schema = editorSchema(connectors);
  const needed = listOf(schema['required']);
  return propertiesOf(schema)
    .map(([key, section]) => {
      const meaning = textOf(section['description']);
      const rows = rowsBelow(section, key);
      const facts = [needed.includes(key) ? 'Required.' : '', ...(rows.length === 0 ? [factsOf(section)] : [])];
      const intro = [meaning, ...facts].filter((part) => part !== '').join(' ');
      return [`### \`${key}\``, '', intro, ...(variants(section, key) ?? table(rows))].join('\n');
    })
    .join('\n\n');
}

function table(rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : ['', '| Key | Value | Default | Meaning |', '|---|---|---|---|', ...rows];
}

/**
 * A list whose entries are of several kinds, told apart by a key: what they share, and then each kind with what is its
 * own. Undefined for any other section.
 */
function variants(section: Json, path: string): string[] | undefined {
  const branches = isJson(section['items']) ? branchesOf(section['items']) : [];
  const [first] = branches;
  const [by] = first ? (propertiesOf(first).find(([, { const: only }]) => only !== undefined) ?? []) : [];
  if (by === undefined || branches.length < 2) return undefined;
  const choices = branches.map((branch) => propertyOf(branch, by));
  const kinds = branches.map((branch) => {
    const { [by]: _, ...others } = isJson(branch['properties']) ? branch['properties'] : {};
    return rowsBelow({ ...branch, properties: others }, `${path}[]`);
  });
  const shared = (kinds[0] ?? []).filter((line) => kinds.every((kind) => kind.includes(line)));
  const choice = row(`${path}[].${by}`, { ...choices[0], anyOf: choices }, true);
  const own = kinds.flatMap((kind, index) => {
    const name = `#### ${path} with \`${by}: ${String(choices[index]?.['const'])}\``;
    return ['', name, ...table(kind.filter((line) => !shared.includes(line)))];
  });
  return [...table([choice, ...shared]), ...own];
}

function propertyOf(schema: Json, key: string): Json {
  return propertiesOf(schema).find(([name]) => name === key)?.[1] ?? {};
}

const opening = '<!-- generated: keys -->';
const closing = '<!-- end of generated: keys -->';

/** The page with its generated part brought up to date; what people wrote around it stays. Throws without its marks. */
export function withKeys(page: string, connectors: readonly KnownConnector[]): string {
  const from = page.indexOf(opening);
  const to = page.indexOf(closing);
  if (from < 0 || to < from) throw new Error(`the page has no ${opening} … ${closing}`);
  return `${page.slice(0, from + opening.length)}\n\n${renderKeys(connectors)}\n\n${page.slice(to)}`;
}

function editorSchema(connectors: readonly KnownConnector[]): Json {
  return z.toJSONSchema(buildSchema(connectors), { io: 'input' }) as Json;
}

/** A row for everything below a section; nothing for a single value. */
function rowsBelow(schema: Json, path: string): string[] {
  const branches = branchesOf(schema);
  const rows = new Map<string, string>();
  for (const branch of branches) {
    for (const [key, property] of propertiesOf(branch)) {
      const at = `${path}.${key}`;
      const required = listOf(branch['required']).includes(key);
      const inner = rowsBelow(property, at);
      const isPlainMapping = inner.length > 0 && property['type'] === 'object' && !property['additionalProperties'];
      if (!rows.has(at) && !isPlainMapping) rows.set(at, row(at, property, required));
      for (const line of inner) rows.set(line, line);
    }
    if (isJson(branch['items'])) for (const line of rowsBelow(branch['items'], `${path}[]`)) rows.set(line, line);
  }
  return [...rows.values()];
}

function row(path: string, schema: Json, required: boolean): string {
  const fallback = schema['default'] === undefined ? '' : code(schema['default']);
  const cells = [`\`${path}\``, typeOf(schema), required ? 'required' : fallback, textOf(schema['description'])];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function factsOf(schema: Json): string {
  const fallback = schema['default'] === undefined ? '' : ` Default: ${code(schema['default'])}.`;
  return `Value: ${typeOf(schema)}.${fallback}`;
}

function typeOf(schema: Json): string {
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return [...new Set(options.filter(isJson).map(typeOf))].join(', or ');
  if (schema['const'] !== undefined) return code(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map(code).join(', ');
  if (schema['type'] === 'array') return `list of ${isJson(schema['items']) ? typeOf(schema['items']) : 'anything'}`;
  if (schema['type'] === 'object') {
    const values = schema['additionalProperties'];
    return isJson(values) ? `mapping to ${typeOf(values)}` : 'mapping';
  }
  if (typeof schema['title'] === 'string') return schema['title'];
  if (schema['type'] === 'integer') return 'whole number';
  return schema['type'] === 'string' ? 'text' : String(schema['type']);
}

function branchesOf(schema: Json): Json[] {
  const options = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(options) ? options.filter(isJson).flatMap(branchesOf) : [schema];
}

function propertiesOf(schema: Json): [string, Json][] {
  const properties = schema['properties'];
  return isJson(properties)
    ? Object.entries(properties).flatMap(([key, value]) => (isJson(value) ? [[key, value] as [string, Json]] : []))
    : [];
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
