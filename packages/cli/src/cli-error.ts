import { SluiceError } from '@sluice/core/domain/error.ts';

export type CliErrorCode = 'usage' | 'no_token' | 'bad_token' | 'bad_file' | 'failed';

/** A failure of the command itself, told to the person who typed it. */
export class CliError extends SluiceError<CliErrorCode> {
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, 'client', message, { cause: options.cause });
    this.name = 'CliError';
    this.hint = options.hint;
  }
}
