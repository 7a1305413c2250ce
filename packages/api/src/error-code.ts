/** Every way the API says no, and the HTTP status it says it with. */
export const statusOf = {
  bad_request: 400,
  unauthenticated: 401,
  /** A token was sent in clear text from another machine. */
  tls_required: 403,
  /** The caller may see the object, but not do this to it. */
  refused: 403,
  /** No such object, or none that the caller may know of: the two are never told apart. */
  not_found: 404,
  /** Too late: it was already settled, or the session is over. */
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  too_many: 429,
  internal: 500,
  /** Something behind the gateway did not answer as it should. */
  bad_gateway: 502,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof statusOf;

export const errorCodes = Object.keys(statusOf) as readonly ErrorCode[];

/** Codes that only a client gives: nothing came back, or something that is no answer of this API. */
export type ClientErrorCode = 'unreachable' | 'bad_answer' | 'not_configured';
