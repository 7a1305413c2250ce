/** docs/api.md: the table in routes.ts for people. The page is this function's value; a test holds the two together. */
import { z } from 'zod';
import { describeCaller } from './caller.ts';
import { statusOf } from './error-code.ts';
import { type Route, routes } from './routes.ts';

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
}

export function apiReference(): string {
  const shown = new Map<z.ZodType, Route>();
  const sections = Object.values<Route>(routes).map((route) => section(route, shown));
  return `${[intro, ...sections, errors()].join('\n\n')}\n`;
}

const intro = `# HTTP API

The gateway's own API, for people's tools and for the \`sluice\` command. The same, for programs, is served as an OpenAPI
3.1 document under \`/api/openapi.json\`.

* **Who calls.** Every route but the public ones wants \`Authorization: Bearer <token>\` with an OIDC token of a configured
  issuer. Over plain HTTP a token is taken from the gateway's own machine only; from anywhere else it has to come over TLS.
  A token is never taken from a URL.
* **Who may.** Each route below says who may call it, and that is asked for every single object. Whoever may not know of
  an object is told exactly what they would be told if it did not exist: \`404\`.
* **Addresses** are written in one way only. Percent-encoding, empty or dot segments, \`;\`, a trailing slash or another
  case name nothing: \`404\`.
* **Bodies** are JSON, sent as \`application/json\`, with no fields but those listed. Times are RFC 3339 in UTC; lengths of
  time a number and a unit (\`90s\`, \`15m\`, \`8h\`, \`1d\`).
* **Lists** are newest first. Where there is more, the answer has a \`next\`: give it as \`before\` (for events: as \`after\`).
* **Text of others** (statements, names, comments) comes as it was written. Whoever shows it to people has to make
  control, format and bidirectional characters visible.

Prometheus reads \`/metrics\` on a listener of its own (\`listen.metrics\`), not here; see [metrics](metrics.md).`;

/** `shown`: answers already written out, with the route under which they are. */
function section(route: Route, shown: Map<z.ZodType, Route>): string {
  const lines = [
    `## \`${route.method} ${route.path}\``,
    '',
    `${route.summary}. May be called by: ${describeCaller(route.caller)}.`,
  ];
  const query = route.query && fieldsOf(route.query, 'input');
  const body = route.body && fieldsOf(route.body, 'input');
  if (query) lines.push('', 'Query:', '', ...query);
  if (body) lines.push('', `Body${route.bodyOptional ? ' (may be left out)' : ''}:`, '', ...body);
  const statuses = [route.status, ...(route.alsoStatus ?? [])].join(' or ');
  if (route.response) {
    const before = shown.get(route.response);
    const answer = before ? [] : fieldsOf(route.response, 'output');
    const same = before ? `: as for \`${before.method} ${before.path}\`.` : ': a JSON object.';
    lines.push('', `Answer (${statuses})${answer.length > 0 ? ':' : same}`);
    if (answer.length > 0) lines.push('', ...answer);
    shown.set(route.response, before ?? route);
  }
  for (const media of route.streams ?? []) {
    const when = route.response ? `With \`Accept: ${media}\`` : `Answer (${statuses})`;
    lines.push('', `${when}: a stream of \`${media}\`.`);
  }
  return lines.join('\n');
}

function errors(): string {
  const rows = Object.entries(statusOf).map(([code, status]) => `| \`${code}\` | ${status} |`);
  return `## Errors

Every error has the form \`{"error": {"code", "message", "hint"?, "request_id"}}\`. The code is for programs and stable, the
message and the hint are for people, and the request id leads to the details in the gateway's log. After too many failed
attempts to authenticate, failures from that address are answered \`429\` with \`Retry-After\`; a valid token is always taken.

| Code | Status |
|---|---|
${rows.join('\n')}`;
}

function fieldsOf(schema: z.ZodType, io: 'input' | 'output'): string[] {
  return listFields(z.toJSONSchema(schema, { io, reused: 'inline' }) as JsonSchema, '');
}

/** One line per field, nested ones under their parent. */
function listFields(schema: JsonSchema, indent: string): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const optional = required.includes(name) ? '' : ', optional';
    const about = field.description === undefined ? '' : `: ${field.description}`;
    const inner = field.items ?? field;
    return [`${indent}* \`${name}\` (${typeOf(field)}${optional})${about}`, ...listFields(inner, `${indent}  `)];
  });
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    const values =
      Object.keys(schema.additionalProperties).length > 0 ? typeOf(schema.additionalProperties) : 'anything';
    return `object of ${values}`;
  }
  return schema.type ?? 'anything';
}
