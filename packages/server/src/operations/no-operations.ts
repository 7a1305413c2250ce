import type { Operations } from '@sluice/core/contract/operations.ts';

/** Where nothing runs, and texts are only looked at: no target can be asked for anything. */
export const noOperations: Operations = {
  declared: [],
  targets: () => [],
  call: () => Promise.resolve({ outcome: 'failed', code: 'unknown_target', message: 'No gateway is running here.' }),
  request: () => Promise.resolve(undefined),
  sessions: () => Promise.resolve([]),
};
