import { CoreError, type CoreErrorCode, type ErrorSource, SluiceError } from '@sluice/core/domain/error.ts';

/** An error on its way to another process: what it says, without what caused it. */
export interface ToldError {
  readonly kind: 'core' | 'other' | 'unexpected';
  readonly code: string;
  readonly source: ErrorSource;
  readonly publicMessage: string;
  readonly message: string;
}

export function toldError(error: unknown): ToldError {
  if (error instanceof SluiceError) {
    const { code, source, publicMessage, message } = error;
    return { kind: error instanceof CoreError ? 'core' : 'other', code, source, publicMessage, message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'unexpected', code: '', source: 'gateway', publicMessage: '', message };
}

export function errorFrom({ kind, code, source, publicMessage, message }: ToldError): Error {
  switch (kind) {
    case 'core':
      return new CoreError(code as CoreErrorCode, source, publicMessage, { detail: message });
    case 'other':
      return new SluiceError(code, source, publicMessage, { detail: message });
    case 'unexpected':
      return new Error(message);
  }
}
