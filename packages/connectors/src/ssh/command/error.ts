import { SluiceError } from '@sluice/core/domain/error.ts';

/** Why a command line has no meaning that could be judged. Each refuses it; none lets it pass. */
export type CommandErrorCode = 'encoding' | 'syntax' | 'too_large' | 'too_complex' | 'empty';

/** A command line that is refused because it could not be understood. */
export class CommandError extends SluiceError<CommandErrorCode> {
  /** What to do next. */
  readonly hint: string;

  constructor(code: CommandErrorCode, message: string, hint: string, cause?: unknown) {
    super(code, 'client', message, { cause });
    this.name = 'CommandError';
    this.hint = hint;
  }
}

/**
 * Not an error for anybody outside: the strict reader met something that shells read in different ways. The text is then
 * read as bash would, and nothing in it counts as known.
 */
export class NotPortable extends Error {}
