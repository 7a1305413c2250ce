/** Type bytes of protocol 3 (PostgreSQL documentation, "Message Formats"). */
export const client = {
  bind: 0x42,
  close: 0x43,
  describe: 0x44,
  execute: 0x45,
  functionCall: 0x46,
  flush: 0x48,
  parse: 0x50,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
  copyDone: 0x63,
  copyData: 0x64,
  copyFail: 0x66,
  /** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share it. */
  password: 0x70,
} as const;

export const server = {
  parseComplete: 0x31,
  bindComplete: 0x32,
  closeComplete: 0x33,
  notification: 0x41,
  commandComplete: 0x43,
  dataRow: 0x44,
  error: 0x45,
  copyIn: 0x47,
  copyOut: 0x48,
  emptyQuery: 0x49,
  backendKey: 0x4b,
  notice: 0x4e,
  authentication: 0x52,
  parameterStatus: 0x53,
  rowDescription: 0x54,
  copyBoth: 0x57,
  readyForQuery: 0x5a,
  copyDone: 0x63,
  copyData: 0x64,
  noData: 0x6e,
  portalSuspended: 0x73,
  parameterDescription: 0x74,
  negotiateVersion: 0x76,
} as const;

/** Authentication request codes, in the int32 after type `R`. */
export const authentication = { ok: 0, cleartext: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

/** Codes in place of a protocol version in the first packet. */
export const startupCode = { cancel: 80877102, ssl: 80877103, gssEncryption: 80877104 } as const;

/** Transaction status in ReadyForQuery. */
export type TransactionStatus = 'I' | 'T' | 'E';
