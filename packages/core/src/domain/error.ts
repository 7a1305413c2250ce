/** Whose fault it is: decides the log level, the metric and the native error. */
export type ErrorSource = 'client' | 'upstream' | 'policy' | 'gateway';

/**
 * The one base of all errors that cross a folder. `publicMessage` is the only text of it that may reach a wire; the
 * ordinary `message` and `cause` stay in the gateway's log.
 */
export class SluiceError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly source: ErrorSource;
  readonly publicMessage: string;

  constructor(
    code: Code,
    source: ErrorSource,
    publicMessage: string,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    super(options.detail ?? publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.source = source;
    this.publicMessage = publicMessage;
  }
}

/** Codes of errors that the pipeline and the ports behind it raise. */
export type CoreErrorCode =
  | 'unauthenticated'
  | 'unknown_target'
  | 'denied'
  | 'recording_failed'
  | 'upstream_unreachable'
  | 'upstream_login'
  | 'upstream_protocol'
  | 'client_protocol'
  | 'permit_spent'
  | 'session_over'
  | 'stopping'
  | 'internal';

export class CoreError extends SluiceError<CoreErrorCode> {}
