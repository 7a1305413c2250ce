import { StoreError } from '../store-error.ts';

/** Says for people why the shared database could not be opened, and what to do. `shown` is its address, without password. */
export function explainFailure(error: unknown, shown: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = codeOf(error);
  const about = `The store at ${shown}`;
  switch (code) {
    case 'ECONNREFUSED':
      return unreachable(`${about} refuses connections. Is the server running, and is the port right?`, error);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(`${about} can't be found: its host name does not resolve.`, error);
    case 'ENOENT':
      return unreachable(`${about} can't be reached: there is no such socket.`, error);
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable(`${about} does not answer. Is a firewall in between?`, error);
    // SQLSTATE classes: PostgreSQL documentation, appendix A.
    case '28P01':
    case '28000':
      return refused(`${about} refuses the login. Check user, password and the server's pg_hba.conf.`, error);
    case '3D000':
      return refused(`${about} has no such database. Create it first; the gateway makes its tables by itself.`, error);
    case '42501':
      return refused(
        `${about} does not let this role make tables. Let it create the schema "sluice", or make that schema and give the role all rights on it.`,
        error,
      );
    case '53300':
      return unreachable(`${about} has no connection left to give.`, error);
    case '57P03':
      return unreachable(`${about} is starting or stopping. Try again shortly.`, error);
  }
  if (/certificate|self[- ]signed|altnames/i.test(`${code} ${messageOf(error)}`)) {
    return refused(
      `${about} shows a certificate that can't be verified (${messageOf(error)}). Name its authority as sslrootcert.`,
      error,
    );
  }
  if (/does not support SSL/.test(messageOf(error))) {
    return refused(
      `${about} does not speak TLS. Turn it on there, or say sslmode=disable if the network between is trusted.`,
      error,
    );
  }
  return unreachable(`${about} can't be used: ${messageOf(error)}.`, error);
}

function unreachable(message: string, cause: unknown): StoreError {
  return new StoreError('store_unreachable', message, cause);
}

function refused(message: string, cause: unknown): StoreError {
  return new StoreError('store_refused', message, cause);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
