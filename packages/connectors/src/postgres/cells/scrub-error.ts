import type { Fields } from '../protocol/fields.ts';

/**
 * An ErrorResponse or NoticeResponse for a client that may not see the data the statement touches ("Error and Notice
 * Message Fields"). Kept are severity, SQLSTATE and the position in the client's own text; everything that could
 * quote a value or name a constraint made from one is gone, and the message becomes a fixed one for its kind.
 */
export function scrubError(fields: Fields): Fields {
  const severity =
    [fields.get('V'), fields.get('S')].find((text) => text !== undefined && severities.has(text)) ?? 'ERROR';
  const told = fields.get('C') ?? '';
  // A function can raise any five characters, so only codes of PostgreSQL's own classes are passed on.
  const code = /^[0-9A-Z]{5}$/.test(told) && classes.has(told.slice(0, 2)) ? told : 'P0001';
  const scrubbed = new Map([
    ['S', severity],
    ['V', severity],
    ['C', code],
    ['M', neutralMessage(severity, code)],
  ]);
  const position = fields.get('P');
  if (position !== undefined && /^\d{1,10}$/.test(position)) scrubbed.set('P', position);
  return scrubbed;
}

const severities: ReadonlySet<string> = new Set([
  'ERROR',
  'FATAL',
  'PANIC',
  'WARNING',
  'NOTICE',
  'DEBUG',
  'INFO',
  'LOG',
]);

function neutralMessage(severity: string, code: string): string {
  const failed = severity === 'ERROR' || severity === 'FATAL' || severity === 'PANIC';
  const what = failed ? (classes.get(code.slice(0, 2)) ?? unnamed) : 'the server sent a message';
  return `${what} (details are hidden because the statement touches masked data)`;
}

const unnamed = 'the statement failed';

/** Classes of "PostgreSQL Error Codes" (appendix A). */
const classes: ReadonlyMap<string, string> = new Map([
  ['00', unnamed],
  ['01', unnamed],
  ['02', 'no data'],
  ['03', 'the statement is not complete'],
  ['08', 'the connection failed'],
  ['09', 'a triggered action failed'],
  ['0A', 'the server does not support this'],
  ['0B', 'the transaction cannot begin like this'],
  ['0F', 'invalid locator'],
  ['0L', 'invalid grantor'],
  ['0P', 'invalid role'],
  ['0Z', 'invalid diagnostics'],
  ['10', 'the query on XML failed'],
  ['20', 'no case matches'],
  ['21', 'a subquery returned more than it may'],
  ['22', 'a value is invalid for its type or operation'],
  ['23', 'a constraint does not allow this'],
  ['24', 'invalid cursor state'],
  ['25', 'invalid transaction state'],
  ['26', 'no such prepared statement'],
  ['27', 'a trigger does not allow this change'],
  ['28', 'invalid authorization'],
  ['2B', 'other things depend on this'],
  ['2D', 'invalid end of the transaction'],
  ['2F', 'a routine failed'],
  ['34', 'no such cursor'],
  ['38', 'an external routine failed'],
  ['39', 'an external routine was not called properly'],
  ['3B', 'invalid savepoint'],
  ['3D', 'no such database'],
  ['3F', 'no such schema'],
  ['40', 'the transaction was rolled back'],
  ['42', 'the statement has a syntax error or breaks an access rule'],
  ['44', 'the view does not allow this row'],
  ['53', 'the server is short of resources'],
  ['54', 'the statement is beyond a limit of the server'],
  ['55', 'something is not in the state that this needs'],
  ['57', 'an operator stopped this'],
  ['58', 'the server met an error of its system'],
  ['72', 'the snapshot is too old'],
  ['F0', 'the server has a configuration error'],
  ['HV', 'the foreign data wrapper failed'],
  ['P0', 'a routine raised an error'],
  ['XX', 'the server met an internal error'],
]);
