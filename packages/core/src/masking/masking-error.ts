import { SluiceError } from '../domain/error.ts';

/** `invalid_pattern`, `unknown_strategy`: the configuration is wrong. `undecidable`: a cell that no rule covers. */
export type MaskingErrorCode = 'invalid_pattern' | 'unknown_strategy' | 'undecidable';

export class MaskingError extends SluiceError<MaskingErrorCode> {}
