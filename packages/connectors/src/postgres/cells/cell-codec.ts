import { isAscii, isUtf8 } from 'node:buffer';
import type { CellMasker, CellShape, PlainMask } from '@sluice/core/contract/labels.ts';
import { copyBytes } from '../../wire/byte-writer.ts';
import { cellShape, type TypeLookup, typeOid } from './shapes.ts';

/** A column of a result; `labels` are those under which its cells must be masked, empty for none. */
export interface CellColumn {
  readonly oid: number;
  readonly typmod: number;
  /** 0 text, 1 binary. */
  readonly format: 0 | 1;
  readonly labels: readonly string[];
  /** Computed from labelled values: neither the value nor whether it is null may show. */
  readonly computed?: boolean;
}

/**
 * Masks the bytes of one cell, null for a null; null where the mask is a null. Throws `RangeError` for bytes that
 * the type cannot have, and whatever the masker throws.
 */
export type MaskCell = (cell: Buffer | null) => Buffer | null;

/** How the cells of a column are masked: the short way where there is one and it knows the value, else the other. */
export interface Masking {
  readonly mask: MaskCell;
  readonly plain: PlainMask | undefined;
}

/** One entry per column; undefined for a column whose cells pass as they are. */
export function maskCells(
  columns: readonly CellColumn[],
  masker: CellMasker,
  lookup?: TypeLookup,
): readonly (Masking | undefined)[] {
  return columns.map((column) => {
    const mask = maskCell(column, masker, lookup);
    return mask && { mask, plain: plainMask(column, masker, lookup) };
  });
}

/** How much longer than its cells a row can become by short ways. */
export function growthOf(plan: readonly (Masking | undefined)[]): number {
  return plan.reduce((sum, masking) => sum + (masking?.plain?.longest ?? 0), 0);
}

function maskCell(column: CellColumn, masker: CellMasker, lookup: TypeLookup | undefined): MaskCell | undefined {
  if (column.labels.length === 0 && !masker.look) return undefined;
  const shape = cellShape(column.oid, column.typmod, lookup);
  const { decode, encode } = codecOf(column, shape);
  if (column.labels.length === 0) return lookInto(column, shape, masker);
  if (column.computed === true) {
    const hidden = masker.hide(column.labels, shape);
    const mask = hidden === null ? null : encode(hidden);
    return () => mask;
  }
  const fixed = fixedMask(column, masker, lookup);
  if (fixed !== undefined) return (cell) => (cell === null ? null : fixed);
  return (cell) => {
    if (cell === null) return null;
    const value = decode(cell);
    const masked = value === undefined ? null : masker.mask(column.labels, shape, value);
    return masked === null ? null : encode(masked);
  };
}

/** The mask of every value in the column, where it is the same for all; undefined where it is not. */
function fixedMask(column: CellColumn, masker: CellMasker, lookup?: TypeLookup): Buffer | null | undefined {
  const shape = cellShape(column.oid, column.typmod, lookup);
  const fixed = masker.constant?.(column.labels, shape);
  if (fixed === undefined || fixed === null) return fixed;
  return codecOf(column, shape).encode(fixed);
}

/** The short way to the mask of a value in the column, from bytes to bytes; undefined where there is none. */
function plainMask(column: CellColumn, masker: CellMasker, lookup?: TypeLookup): PlainMask | undefined {
  if (column.labels.length === 0 || column.computed === true) return undefined;
  const fixed = fixedMask(column, masker, lookup);
  if (fixed) return /^[0-9A-Za-z#*@.]+$/.test(fixed.toString('latin1')) ? always(fixed) : undefined;
  const shape = cellShape(column.oid, column.typmod, lookup);
  return codecOf(column, shape) === textCodec ? masker.plain?.(column.labels, shape) : undefined;
}

function always(mask: Buffer): PlainMask {
  return {
    longest: mask.length,
    write: (_from, _start, _end, into, at) => copyBytes(mask, 0, mask.length, into, at),
  };
}

/** Unlabelled cells are only looked into, and pass as they are where nothing is found. */
function lookInto(column: CellColumn, shape: CellShape, masker: CellMasker): MaskCell | undefined {
  const { look } = masker;
  // Numbers, times and the like: what they print is no text that somebody wrote.
  if (!look || silent.has(column.oid)) return undefined;
  const { decode, encode } = codecFor(column, shape);
  return (cell) => {
    const value = cell === null ? undefined : decode(cell);
    if (cell === null || value === undefined) return cell;
    const seen = look(shape, value);
    if (seen === value) return cell;
    return seen === null ? null : encode(seen);
  };
}

/** Arrays, composites and the like have text somewhere inside their binary form; it can be found, but not replaced. */
function codecFor(column: CellColumn, shape: CellShape): Codec {
  if (column.format === 0) return textCodec;
  return shape.kind === 'other'
    ? { ...opaqueCodec, decode: (cell) => cell.toString('utf8') }
    : binaryCodec(column.oid, shape);
}

/** bool, int8, int2, int4, oid, float4, float8, date, time, timestamp, timestamptz, interval, timetz, uuid. */
const silent: ReadonlySet<number> = new Set([16, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 2950]);

function codecOf(column: CellColumn, shape: CellShape): Codec {
  return column.format === 0 ? textCodec : binaryCodec(column.oid, shape);
}

interface Codec {
  /** The value in text form; undefined when it has none that a mask could be made from, and so becomes a null. */
  decode(cell: Buffer): string | undefined;
  encode(masked: string): Buffer;
}

const textCodec: Codec = {
  decode(cell) {
    if (isAscii(cell)) return cell.toString('latin1');
    // A database in SQL_ASCII hands out whatever bytes were put in, whatever the client's encoding.
    return isUtf8(cell) ? cell.toString('utf8') : undefined;
  },
  encode: (masked) => Buffer.from(masked, 'utf8'),
};

/** The type's send function decides its binary format; those of text, varchar, char, name and json send the text. */
function binaryCodec(oid: number, shape: CellShape): Codec {
  if (shape.kind === 'uuid') return uuidCodec;
  if (oid === typeOid.jsonb) return jsonbCodec;
  return shape.kind === 'other' ? opaqueCodec : textCodec;
}

/** uuid_send: the 16 bytes. */
const uuidCodec: Codec = {
  decode(cell) {
    if (cell.length !== 16) throw new RangeError('a binary uuid that is not 16 bytes long');
    return cell.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
  encode: (masked) => Buffer.from(masked.replaceAll('-', ''), 'hex'),
};

/** jsonb_send: a version byte, which is 1, and the text. */
const jsonbCodec: Codec = {
  decode(cell) {
    if (cell[0] !== 1) throw new RangeError('a binary jsonb of an unknown version');
    return textCodec.decode(cell.subarray(1));
  },
  encode: (masked) => Buffer.concat([Buffer.of(1), Buffer.from(masked, 'utf8')]),
};

const opaqueCodec: Codec = {
  decode: () => undefined,
  encode() {
    throw new RangeError('a binary format without a mask');
  },
};
