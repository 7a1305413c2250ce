/** How every command ends; scripts may rely on these. */
export const exitCodes = {
  ok: { code: 0, doc: 'done as asked; for a server: stopped in good order' },
  failure: { code: 1, doc: 'it failed, or what was verified, checked or tested is not right' },
  usage: { code: 2, doc: 'the command line is not right' },
  unauthenticated: { code: 3, doc: 'no token, or one that the gateway does not accept' },
  refused: { code: 4, doc: 'the gateway refused: not allowed' },
  not_found: { code: 5, doc: 'no such object, or none that you may see' },
  unreachable: { code: 6, doc: 'the gateway did not answer, or answered unlike a gateway' },
  conflict: { code: 7, doc: 'too late: already settled, already over' },
} as const;

export type Exit = keyof typeof exitCodes;
