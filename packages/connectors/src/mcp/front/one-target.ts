import type { Operations } from '@sluice/core/contract/operations.ts';

/**
 * The operations as they look from the address of one target: nothing of any other is there, whoever asks. An access
 * credential is good for one target, so that is all that may be seen by one.
 */
export function oneTarget(operations: Operations, name: string): Operations {
  return {
    get declared() {
      return operations.declared;
    },
    targets: (caller) => operations.targets(caller).filter(({ target }) => target.name === name),
    call: (caller, target, operation, input, run, signal) =>
      // No target has the empty name: another one is refused as one that is not there.
      operations.call(caller, target === name ? name : '', operation, input, run, signal),
    request: async (caller, id) => {
      const found = await operations.request(caller, id);
      return found?.target === name ? found : undefined;
    },
    sessions: async (caller, limit) =>
      (await operations.sessions(caller, limit)).filter(({ target }) => target === name),
  };
}
