import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { isObject } from '../jsonrpc/message.ts';
import type { AnswerMasker } from './answer-masker.ts';
import { isPlainUri } from './resource-uri.ts';
import { visibleText } from './visible-text.ts';

/** What an answer needs of the session that it is for. */
export interface AnswerTools {
  readonly masker: AnswerMasker;
  /** Whether bytes that nobody can look into may be handed out. Decided and recorded, each time. */
  opaque(kind: string, bytes: number): Promise<boolean>;
  /** Something was left out of the answer; `what` holds nothing the target said. */
  leftOut(what: string): void;
}

const mostBlocks = 10_000;
const longestLabel = 256;

/**
 * Answers as the client is given them: what is understood, masked; what is not is left out. `_meta` is the target's and
 * stays behind. Throws `upstream_protocol` for an answer that is none to what was asked.
 */
export async function toolResult(result: JsonObject, tools: AnswerTools): Promise<JsonObject> {
  const { content = [], structuredContent, isError } = result;
  tellUnknown(result, ['content', 'structuredContent', 'isError', '_meta'], tools);
  const shown: Record<string, Json> = {};
  tools.masker.learn(isObject(structuredContent) ? [structuredContent] : [], content);
  if (isObject(structuredContent)) shown['structuredContent'] = tools.masker.document(structuredContent);
  else if (structuredContent !== undefined) tools.leftOut('structured content that is no object');
  shown['content'] = await blocks(content, tools);
  if (isError === true) shown['isError'] = true;
  return shown;
}

export async function promptResult(result: JsonObject, tools: AnswerTools): Promise<JsonObject> {
  const { description, messages } = result;
  tellUnknown(result, ['description', 'messages', '_meta'], tools);
  tools.masker.learn([], { description: description ?? null, messages: messages ?? null });
  const shown: JsonObject[] = [];
  for (const message of list(messages)) {
    const { role, content } = isObject(message) ? message : {};
    const block = role === 'user' || role === 'assistant' ? await contentBlock(content, tools) : undefined;
    if (block && typeof role === 'string') shown.push({ role, content: block });
    else tools.leftOut('a message that is not understood');
  }
  const text =
    typeof description === 'string' ? { description: tools.masker.text(visibleText(description, 8_192)) } : {};
  return { ...text, messages: shown };
}

export async function resourceResult(result: JsonObject, tools: AnswerTools): Promise<JsonObject> {
  tellUnknown(result, ['contents', '_meta'], tools);
  const contents: JsonObject[] = [];
  tools.masker.learn([], result['contents'] ?? null);
  for (const each of list(result['contents'])) {
    const content = await resourceContent(each, tools);
    if (content) contents.push(content);
    else tools.leftOut('content of a resource that is not understood');
  }
  return { contents };
}

export function completionResult(result: JsonObject, tools: AnswerTools): JsonObject {
  const { completion } = result;
  if (!isObject(completion)) throw senseless();
  const { values, total, hasMore } = completion;
  // MCP "Completion": at most 100 values.
  tools.masker.learn([], values ?? null);
  const shown = list(values)
    .filter((value) => typeof value === 'string')
    .slice(0, 100)
    .map((value) => tools.masker.text(value));
  return {
    completion: {
      values: shown,
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof hasMore === 'boolean' ? { hasMore } : {}),
    },
  };
}

async function blocks(content: Json, tools: AnswerTools): Promise<readonly JsonObject[]> {
  const shown: JsonObject[] = [];
  for (const each of list(content)) {
    const block = await contentBlock(each, tools);
    if (block) shown.push(block);
    else {
      tools.leftOut('content of a kind that is not understood');
      shown.push(note('Content of a kind that the gateway does not understand was left out.'));
    }
  }
  return shown;
}

async function contentBlock(block: Json | undefined, tools: AnswerTools): Promise<JsonObject | undefined> {
  if (!isObject(block)) return undefined;
  switch (block['type']) {
    case 'text':
      return typeof block['text'] === 'string'
        ? { type: 'text', text: tools.masker.text(block['text']), ...forWhom(block) }
        : undefined;
    case 'image':
    case 'audio': {
      const { type, data, mimeType } = block;
      if (typeof data !== 'string' || !isMediaType(mimeType)) return undefined;
      if (await tools.opaque(`${type} ${mimeType}`, bytesIn(data))) return { type, data, mimeType, ...forWhom(block) };
      return note(
        `An ${type === 'image' ? 'image' : 'audio clip'} was left out: policy does not permit what cannot be masked.`,
      );
    }
    case 'resource': {
      const resource = await resourceContent(block['resource'], tools);
      return resource && { type: 'resource', resource, ...forWhom(block) };
    }
    case 'resource_link':
      return resourceLink(block, tools);
    default:
      return undefined;
  }
}

async function resourceContent(content: Json | undefined, tools: AnswerTools): Promise<JsonObject | undefined> {
  if (!isObject(content)) return undefined;
  const { uri, mimeType, text, blob } = content;
  if (typeof uri !== 'string' || !isPlainUri(uri) || (mimeType !== undefined && !isMediaType(mimeType)))
    return undefined;
  const head = { uri: tools.masker.text(uri), ...(mimeType === undefined ? {} : { mimeType }) };
  if (typeof text === 'string') return { ...head, text: tools.masker.text(text) };
  if (typeof blob !== 'string') return undefined;
  if (await tools.opaque(`resource ${mimeType ?? 'of no known type'}`, bytesIn(blob))) return { ...head, blob };
  return { uri: head.uri, mimeType: 'text/plain', text: 'Left out: policy does not permit what cannot be masked.' };
}

function resourceLink(block: JsonObject, tools: AnswerTools): JsonObject | undefined {
  const { uri, name, title, description, mimeType, size } = block;
  if (typeof uri !== 'string' || !isPlainUri(uri) || typeof name !== 'string') return undefined;
  const shown = (value: string, most: number): string => tools.masker.text(visibleText(value, most));
  return {
    type: 'resource_link',
    uri: tools.masker.text(uri),
    name: shown(name, longestLabel),
    ...(typeof title === 'string' ? { title: shown(title, longestLabel) } : {}),
    ...(typeof description === 'string' ? { description: shown(description, 8_192) } : {}),
    ...(isMediaType(mimeType) ? { mimeType } : {}),
    ...(typeof size === 'number' ? { size } : {}),
    ...forWhom(block),
  };
}

/** Annotations (MCP "Annotations") of which nothing can be made but what they say. */
function forWhom({ annotations }: JsonObject): JsonObject {
  if (!isObject(annotations)) return {};
  const { audience, priority } = annotations;
  const known: Record<string, Json> = {};
  if (Array.isArray(audience)) known['audience'] = audience.filter((each) => each === 'user' || each === 'assistant');
  if (typeof priority === 'number') known['priority'] = priority;
  return Object.keys(known).length > 0 ? { annotations: known } : {};
}

function note(text: string): JsonObject {
  return { type: 'text', text: `[${text}]` };
}

function list(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value) || value.length > mostBlocks) throw senseless();
  return value;
}

function tellUnknown(result: JsonObject, known: readonly string[], tools: AnswerTools): void {
  if (Object.keys(result).some((name) => !known.includes(name)))
    tools.leftOut('members of the answer that are not known');
}

function isMediaType(value: Json | undefined): value is string {
  return (
    typeof value === 'string' && value.length <= 128 && /^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w.+-]+=[\w.+"-]+)*$/.test(value)
  );
}

/** Of base64. */
function bytesIn(text: string): number {
  return Math.floor((text.length * 3) / 4);
}

function senseless(): CoreError {
  return new CoreError('upstream_protocol', 'upstream', 'The target gave an answer that makes no sense.');
}
