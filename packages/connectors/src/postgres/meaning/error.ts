import { SluiceError } from '@sluice/core/domain/error.ts';

/** Why a statement has no meaning that could be judged. Each refuses the statement; none lets it pass. */
export type MeaningErrorCode =
  | 'syntax'
  | 'unsupported'
  | 'too_large'
  | 'too_complex'
  | 'encoding'
  | 'undefined_relation'
  | 'undefined_column'
  | 'undefined_function'
  | 'undefined_type'
  | 'undefined_schema'
  | 'undefined_prepared'
  | 'undefined_cursor'
  | 'forbidden_setting'
  | 'send_separately'
  | 'catalog_unavailable';

const sqlstates: Readonly<Record<MeaningErrorCode, string>> = {
  syntax: '42601',
  unsupported: '0A000',
  too_large: '54000',
  too_complex: '54001',
  encoding: '22021',
  undefined_relation: '42P01',
  undefined_column: '42703',
  undefined_function: '42883',
  undefined_type: '42704',
  undefined_schema: '3F000',
  undefined_prepared: '26000',
  undefined_cursor: '34000',
  forbidden_setting: '42501',
  send_separately: '0A000',
  catalog_unavailable: '55000',
};

/** Where the catalog may simply be older than the object: worth one refresh and one more try. */
const staleCodes: ReadonlySet<MeaningErrorCode> = new Set([
  'undefined_relation',
  'undefined_column',
  'undefined_function',
  'undefined_type',
  'undefined_schema',
]);

/** A statement that is refused because it could not be understood, or must not be sent. Speaks the server's SQLSTATEs. */
export class MeaningError extends SluiceError<MeaningErrorCode> {
  readonly sqlstate: string;
  /** The catalog may be older than what the statement names: refresh it once and try again. */
  readonly stale: boolean;
  /** What to do next, for the native error's HINT. */
  readonly hint: string | undefined;
  /** Where in the text, counted in characters from 1 as ErrorResponse's field P wants it (protocol, 53.8). */
  readonly position: number | undefined;

  constructor(
    code: MeaningErrorCode,
    message: string,
    extra: { hint?: string; position?: number; cause?: unknown } = {},
  ) {
    super(code, code === 'catalog_unavailable' ? 'gateway' : 'client', message, { cause: extra.cause });
    this.name = 'MeaningError';
    this.sqlstate = sqlstates[code];
    this.stale = staleCodes.has(code);
    this.hint = extra.hint;
    this.position = extra.position;
  }
}
