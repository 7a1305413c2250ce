import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { isObject } from '../jsonrpc/message.ts';
import { visibleText } from './visible-text.ts';

/** A tool as its server defines it. */
export interface ToolDefinition {
  readonly name: string;
  /** All that is pinned, in one form for one content: members sorted, nothing left out that a model could be told. */
  readonly canonical: string;
  /** What a client may be told of it; what is not understood is left out. */
  readonly shown: JsonObject;
  readonly claimsReadOnly: boolean;
  readonly claimsDestructive: boolean;
}

/** MCP 2025-11-25, server/tools "Tool Names", and `/`, which some servers group theirs by. */
const toolName = /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/;
const longestName = 128;
const largestDefinition = 65_536;
const longestTitle = 256;
const longestDescription = 8_192;

export function isToolName(name: string): boolean {
  return name.length <= longestName && toolName.test(name) && !name.split('/').some((part) => /^\.\.?$/.test(part));
}

/** Why it can't be a tool here; a text for the recording, which holds nothing the target said. */
export type Unfit = { readonly unfit: string };

export function readTool(json: Json): ToolDefinition | Unfit {
  if (!isObject(json)) return { unfit: 'a definition that is no object' };
  const { name, title, description, inputSchema, outputSchema, annotations } = json;
  if (typeof name !== 'string' || !isToolName(name)) return { unfit: 'a name that tools cannot have here' };
  if (!isObject(inputSchema) || inputSchema['type'] !== 'object') return { unfit: 'no schema of its arguments' };
  if (pointsElsewhere(inputSchema)) return { unfit: 'a schema that refers to another document' };
  // Pinned is what could be shown or believed; an icon, or what only this revision of the target knows, is neither.
  const pinned = { name, title, description, inputSchema, outputSchema, annotations };
  const text = canonicalJson(pinned);
  if (text.length > largestDefinition) return { unfit: 'a definition that is too large' };
  const claims = isObject(annotations) ? annotations : {};
  const shown: Record<string, Json> = { name, inputSchema: visibleJson(inputSchema) };
  if (typeof title === 'string') shown['title'] = visibleText(title, longestTitle);
  if (typeof description === 'string') shown['description'] = visibleText(description, longestDescription);
  const hints = hintsOf(claims);
  if (Object.keys(hints).length > 0) shown['annotations'] = hints;
  const claimsReadOnly = claims['readOnlyHint'] === true;
  return {
    name,
    canonical: text,
    shown,
    claimsReadOnly,
    claimsDestructive: !claimsReadOnly && claims['destructiveHint'] !== false,
  };
}

/** Shown in the place of a definition that nobody has agreed to yet: of the target it has the name and no word. */
export function placeholder(name: string, changed: boolean): JsonObject {
  const why = changed
    ? 'The definition of this tool has changed since it was agreed to, and is not shown until somebody agrees to the change.'
    : 'The definition of this tool has not been agreed to yet, and is not shown until somebody does.';
  return {
    name,
    description: `${why} Calling it asks for that; the answer says how it goes on.`,
    inputSchema: { type: 'object' },
  };
}

function hintsOf(claims: JsonObject): JsonObject {
  const hints: Record<string, Json> = {};
  for (const key of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']) {
    const value = claims[key];
    if (typeof value === 'boolean') hints[key] = value;
  }
  const title = claims['title'];
  if (typeof title === 'string') hints['title'] = visibleText(title, longestTitle);
  return hints;
}

/** JSON with the members of every object sorted by name, and without those that are absent. */
export function canonicalJson(value: Json | { readonly [key: string]: Json | undefined }): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** The document with what cannot be seen taken out of every text in it. */
function visibleJson(value: Json): Json {
  if (typeof value === 'string') return visibleText(value, longestDescription);
  if (Array.isArray(value)) return value.map(visibleJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [visibleText(key, 256), visibleJson(member)]));
}

/** A reference out of the schema would make whoever validates with it fetch something the target names. */
function pointsElsewhere(value: Json): boolean {
  if (Array.isArray(value)) return value.some(pointsElsewhere);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, member]) =>
      (/^\$(?:ref|dynamicRef|recursiveRef)$/.test(key) && typeof member === 'string' && !member.startsWith('#')) ||
      pointsElsewhere(member),
  );
}
