/** A media type (RFC 9110 section 8.3.1): `type/subtype` in lower case, without parameters, and its charset. */
export interface MediaType {
  readonly type: string;
  /** In lower case; undefined where there is none. */
  readonly charset: string | undefined;
}

const syntax = /^\s*([!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+)\s*((?:;.*)?)$/;
const charsetOf = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/g;

/** Undefined for what is no media type, or has two charsets. */
export function readMediaType(value: string): MediaType | undefined {
  const match = syntax.exec(value.toLowerCase());
  if (!match) return undefined;
  const charsets = [...(match[2] ?? '').matchAll(charsetOf)].map(([, quoted, token]) => quoted ?? token);
  if (charsets.length > 1) return undefined;
  return { type: match[1] ?? '', charset: charsets[0] };
}

/** Whether text in it can be read as UTF-8; Latin 1 can, as far as anything that is looked for is ASCII. */
export function readsAsUtf8({ charset }: MediaType): boolean {
  return (
    charset === undefined ||
    ['utf-8', 'utf8', 'us-ascii', 'ascii', 'iso-8859-1', 'latin1', 'windows-1252'].includes(charset)
  );
}

export function isJson({ type, charset }: MediaType): boolean {
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return false;
  return type === 'application/json' || type === 'text/json' || type.endsWith('+json');
}

/** A document for each line. */
export function isJsonLines({ type, charset }: MediaType): boolean {
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return false;
  return ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'].includes(type);
}

export function isEventStream({ type }: MediaType): boolean {
  return type === 'text/event-stream';
}

export function isMultipart({ type }: MediaType): boolean {
  return type.startsWith('multipart/');
}

export function isForm({ type }: MediaType): boolean {
  return type === 'application/x-www-form-urlencoded';
}

const texts = new Set([
  'application/xml',
  'application/xhtml+xml',
  'application/javascript',
  'application/ecmascript',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/sql',
  'application/graphql',
  'application/x-www-form-urlencoded',
  'image/svg+xml',
]);

export function isText(media: MediaType): boolean {
  return readsAsUtf8(media) && (media.type.startsWith('text/') || media.type.endsWith('+xml') || texts.has(media.type));
}
