import type { TargetForm } from '@sluice/core/contract/upstream.ts';

export const postgresTargets: TargetForm = {
  settings: [{ key: 'database', form: 'text', doc: 'Name of the database; absent: the account’s name.' }],
  credential: { username: 'required', secrets: [{ key: 'password', doc: 'The account’s password.' }] },
  reachedBy: ['address'],
  labelled: '<schema>.<table>.<column>',
};
