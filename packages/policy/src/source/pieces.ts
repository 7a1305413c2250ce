import { accessClasses } from '@sluice/core/domain/action.ts';
import { offsetOfByte, type Position, positionAt } from './position.ts';
import { type Token, tokens } from './tokens.ts';

export interface PolicyFile {
  /** As people name it; only shown. */
  readonly path: string;
  readonly text: string;
}

/** One policy of a file, still as text. */
export interface Piece {
  readonly path: string;
  /** As written, without the comments before it. */
  readonly text: string;
  /** What Cedar is given: a class compared by `==` asks for membership instead. */
  readonly cedar: string;
  readonly tokens: readonly Token[];
  /** Where an offset into `text` lies in the file. */
  place(offset: number): Position;
  /** Where a byte of `cedar` lies in the file. */
  placeOfByte(byte: number): Position;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Cuts a file at the semicolons that are neither in a string nor in a comment: Cedar's grammar has no others. */
export function cut(file: PolicyFile): Piece[] {
  const pieces: Piece[] = [];
  let current: Token[] = [];
  for (const token of tokens(file.text)) {
    current.push(token);
    if (token.text === ';' && token.kind === 'mark') {
      pieces.push(piece(file, current));
      current = [];
    }
  }
  if (current.length > 0) pieces.push(piece(file, current));
  return pieces;
}

function piece(file: PolicyFile, found: readonly Token[]): Piece {
  const start = found[0]?.start ?? 0;
  const text = file.text.slice(start, found.at(-1)?.end ?? start);
  const own = found.map((token) => ({ ...token, start: token.start - start, end: token.end - start }));
  const edits = classEdits(text, own);
  const cedar = applied(text, edits);
  const place = (offset: number): Position => positionAt(file.text, start + offset);
  return {
    path: file.path,
    text,
    cedar,
    tokens: own,
    place,
    placeOfByte: (byte) => place(before(edits, offsetOfByte(cedar, byte))),
  };
}

/**
 * `action == Action::"read"` could never be true, for nobody acts with a class itself; what its author means is
 * membership. Both operators bind alike in Cedar's grammar, so exchanging them changes nothing around them.
 */
function classEdits(text: string, own: readonly Token[]): Edit[] {
  const edits: Edit[] = [];
  for (const [index, token] of own.entries()) {
    const [action, type, colons, id] = [own[index - 1], own[index + 1], own[index + 2], own[index + 3]];
    if (token.text !== '==' || action?.text !== 'action' || own[index - 2]?.text === '.') continue;
    if (type?.text !== 'Action' || colons?.text !== '::' || id === undefined || !isClass(id.text)) continue;
    const left = action.end === token.start ? ' ' : '';
    const right = type.start === token.end ? ' ' : '';
    edits.push({ start: token.start, end: token.end, replacement: `${left}in${right}` });
  }
  return edits.filter((edit) => text.slice(edit.start, edit.end) === '==');
}

function isClass(literal: string): boolean {
  return accessClasses.some((name) => literal === `"${name}"`);
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of edits) {
    result += text.slice(from, edit.start) + edit.replacement;
    from = edit.end;
  }
  return result + text.slice(from);
}

/** The offset before the edits of an offset after them. */
function before(edits: readonly Edit[], offset: number): number {
  let shift = 0;
  for (const edit of edits) {
    if (offset <= edit.start + shift) break;
    const growth = edit.replacement.length - (edit.end - edit.start);
    if (offset < edit.start + shift + edit.replacement.length) return edit.start;
    shift += growth;
  }
  return offset - shift;
}

/** The parts of a policy: what is between the commas of its scope, and each condition. */
export interface Parts {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly conditions: readonly string[];
}

/** `text` must be one policy that Cedar accepts. A part may end in a comment. */
export function partsOf(text: string): Parts {
  const scope: string[] = [];
  const conditions: string[] = [];
  let depth = 0;
  let from = 0;
  let keyword: Token | undefined;
  for (const token of afterEffect(text)) {
    if (depth === 0 && (token.text === 'when' || token.text === 'unless')) keyword = token;
    if (isMark(token, '([{') && ++depth === 1) from = keyword ? keyword.start : token.end;
    const closes = isMark(token, ')]}') && --depth === 0;
    if (keyword) {
      if (closes) conditions.push(text.slice(from, token.end));
    } else if (closes || (depth === 1 && isMark(token, ','))) {
      scope.push(text.slice(from, token.start).trim());
      from = token.end;
    }
  }
  return { principal: scope[0] ?? '', action: scope[1] ?? '', resource: scope[2] ?? '', conditions };
}

/** The same policy as a permit and without its annotations, and otherwise to the letter. */
export function asPermit(text: string): string {
  return `permit ${text.slice(afterEffect(text)[0]?.start ?? text.length)}`;
}

function afterEffect(text: string): Token[] {
  const found = tokens(text);
  const effect = found.findIndex(
    (token) => token.kind === 'word' && (token.text === 'permit' || token.text === 'forbid'),
  );
  return found.slice(effect + 1);
}

function isMark(token: Token, marks: string): boolean {
  return token.kind === 'mark' && marks.includes(token.text);
}
