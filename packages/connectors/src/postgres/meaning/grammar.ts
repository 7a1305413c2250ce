import { createHash } from 'node:crypto';
import { fingerprintSync, hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query';
import type { Node } from './ast.ts';
import { MeaningError } from './error.ts';
import { guard, nesting } from './guard.ts';

/** The server's own grammar, compiled to WASM: text in, parse tree out, every failure a MeaningError. */

/** A fifth of where the walk was seen to fail in a process that had just begun. */
const maxWalkedNesting = 200;

let loaded = false;

/** Must have resolved before anything is parsed; safe to call again. */
export async function loadGrammar(): Promise<void> {
  await loadModule();
  loaded = true;
}

export interface ParsedStatement {
  readonly node: Node;
  /** The statement's own slice of the text. */
  readonly text: string;
}

/** Locations in a parse tree count bytes of UTF-8; a text of ASCII only has as many characters. */
class Slicer {
  readonly #text: string;
  readonly #bytes: Buffer | undefined;

  constructor(text: string) {
    this.#text = text;
    const bytes = Buffer.from(text, 'utf8');
    this.#bytes = bytes.length === text.length ? undefined : bytes;
  }

  slice(start: number, end: number | undefined): string {
    return this.#bytes === undefined ? this.#text.slice(start, end) : this.#bytes.toString('utf8', start, end);
  }
}

export function parse(text: string): readonly ParsedStatement[] {
  if (!loaded) throw new MeaningError('catalog_unavailable', 'the SQL grammar is not loaded');
  guard(text);
  if (text === '') return [];
  try {
    const slicer = new Slicer(text);
    return (parseSync(text).stmts ?? []).map((raw) => {
      if (raw.stmt === undefined) throw new MeaningError('unsupported', 'the statement is empty');
      const start = raw.stmt_location ?? 0;
      const length = raw.stmt_len ?? 0;
      return { node: raw.stmt, text: slicer.slice(start, length === 0 ? undefined : start + length).trim() };
    });
  } catch (error) {
    throw asMeaningError(error, text);
  }
}

/** libpg_query's KeywordKind for reserved words; an identifier in quotes has none. */
const reservedKeyword = 4;

function isReservedAs(token: { readonly text: string; readonly keywordKind: number }): boolean {
  return token.keywordKind === reservedKeyword && token.text.toLowerCase() === 'as';
}

/** The query in `PREPARE name (types) AS query`: AS is reserved, so the first one is it. */
export function preparedText(text: string): string {
  const found = scanSync(text).tokens.find(isReservedAs);
  if (found === undefined) throw new MeaningError('unsupported', 'a PREPARE without AS');
  return new Slicer(text).slice(found.end, undefined).trim();
}

/**
 * Of the tree without its constants; the same for statements that differ in literals only. Of the text itself for a
 * deeply nested statement: the library's own walk needs several times the stack of its parser, and the more of it the
 * longer the process runs.
 */
export function fingerprint(text: string): string {
  try {
    if (nesting(text) > maxWalkedNesting) return createHash('sha256').update(text).digest('hex').slice(0, 16);
    return fingerprintSync(text);
  } catch (error) {
    throw asMeaningError(error, text);
  }
}

export function asMeaningError(error: unknown, text: string): MeaningError {
  if (error instanceof MeaningError) return error;
  if (hasSqlDetails(error)) {
    const at = error.sqlDetails?.cursorPosition ?? 0;
    const characters = Buffer.from(text, 'utf8').toString('utf8', 0, at).length;
    return new MeaningError('syntax', error.message, { position: characters + 1, cause: error });
  }
  if (error instanceof RangeError) {
    return new MeaningError('too_complex', 'the statement is nested too deep', { cause: error });
  }
  return new MeaningError('unsupported', 'the statement could not be understood', {
    hint: 'This is a limit of the gateway, not of the server; the log has the details.',
    cause: error,
  });
}
