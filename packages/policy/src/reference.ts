import type { Declarations } from '@sluice/core/contract/declarations.ts';
import { accessClasses } from '@sluice/core/domain/action.ts';
import { gatewayVerbs } from './gateway.ts';
import { buildSchema, type VerbSchema } from './schema.ts';

/** Everything policies can speak of with these connectors, as a page in Markdown. */
export function policyReference(declarations: readonly Declarations[]): string {
  const { verbs } = buildSchema(declarations);
  const connectors = [...verbs.values()].filter((verb) => verb.access !== undefined);
  const parts = [
    '# What policies can speak of',
    '',
    'Generated from what the connectors declare and the schema is made of. How policies are written is told in',
    '[policies.md](policies.md), with the verbs of the gateway itself and the context every action has.',
    '',
    '## Resource types',
    '',
    '| Type | Lies in | Is |',
    '|---|---|---|',
    ...resourceRows(declarations),
  ];
  for (const access of accessClasses) {
    const rows = connectors.filter((verb) => verb.access === access).map(verbRow);
    const own = gatewayVerbs.filter((each) => each.verb === access).map((each) => verbRow({ ...each, context: {} }));
    if (rows.length + own.length === 0) continue;
    parts.push('', `## \`Action::"${access}"\``, '', '| Verb | On | Means |', '|---|---|---|', ...own, ...rows);
  }
  parts.push(
    '',
    '## Context of verbs',
    '',
    'Beside what [every action has](policies.md#when-context). Types are those of Cedar, and',
    '[maps](policies.md#maps), which are asked for an entry at a time.',
    '',
    ...contexts(connectors),
  );
  return `${parts.join('\n')}\n`;
}

function resourceRows(declarations: readonly Declarations[]): string[] {
  const rows = declarations
    .flatMap((declared) => declared.resources)
    .map(({ type, parents, doc }) => `| \`${type}\` | ${named(parents)} | ${cell(doc)} |`);
  const own = [
    '| `Target` | `Tag` | A target, by its name in the configuration. |',
    '| `Label` | `Label` | A label of data: `pii.email` lies in `pii`. |',
  ];
  return [...own, ...new Set(rows)];
}

function verbRow({
  verb,
  resources,
  doc,
}: Pick<VerbSchema, 'verb' | 'doc' | 'context'> & { resources: Iterable<string> }): string {
  return `| \`${verb}\` | ${named(resources)} | ${cell(doc)} |`;
}

/** Verbs that share their attributes share a table. */
function contexts(verbs: readonly VerbSchema[]): string[] {
  const byAttributes = new Map<string, VerbSchema[]>();
  for (const verb of verbs) {
    const key = JSON.stringify(Object.entries(verb.context).sort());
    byAttributes.set(key, [...(byAttributes.get(key) ?? []), verb]);
  }
  return [...byAttributes.values()].flatMap((group, index) => {
    const attributes = Object.entries(group[0]?.context ?? {});
    const heading = `${index === 0 ? '' : '\n'}${named(group.map((verb) => verb.verb))}:`;
    if (attributes.length === 0) return [heading, '', 'nothing beside what every action has.'];
    const rows = attributes.map(([name, type]) => `| \`${name}\` | \`${type}\` |`);
    return [heading, '', '| Attribute | Type |', '|---|---|', ...rows];
  });
}

function named(names: Iterable<string>): string {
  return [...names].map((name) => `\`${name}\``).join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
