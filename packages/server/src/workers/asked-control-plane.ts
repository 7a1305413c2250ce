import type { ControlPlane, PolicyTextSource } from '@sluice/core/contract/control-plane.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { ControlCalls, WorkerCalls } from './calls.ts';
import type { Channel } from './channel.ts';

/** The port in a worker, and what the gateway tells to it. */
export interface AskedControlPlane {
  readonly control: ControlPlane;
  end(session: string, reason: EndReason, message: string): void;
  told(connector: string, text: string): Promise<void>;
}

/** The control plane as a worker has it: everything is asked over the channel, and fails when that is gone. */
export function askedControlPlane(
  channel: Channel<ControlCalls, WorkerCalls>,
  policies: PolicyTextSource,
  isCredentialId: (user: string) => boolean,
): AskedControlPlane {
  let waits = 0;
  let end: (session: string, reason: EndReason, message: string) => void = () => {};
  let told: (connector: string, text: string) => void | Promise<void> = () => {};
  const control: ControlPlane = {
    identity: {
      bearer: (token) => channel.call('bearer', token.reveal()),
      scramVerifier: (credential) => channel.call('scramVerifier', credential),
      proves: (credential, secret) => channel.call('proves', credential, secret.reveal()),
      redeem: (credential, target) => channel.call('redeem', credential, target),
      isCredentialId,
    },
    admit: (principal, credential) => channel.call('admit', principal, credential),
    requests: {
      open: (draft) => channel.call('openRequest', draft),
      async settled(id, signal) {
        const wait = waits++;
        const stop = (): void => channel.post('stopWaiting', wait);
        const settled = channel.call('settledRequest', id, wait);
        if (signal.aborted) stop();
        signal.addEventListener('abort', stop);
        return settled.finally(() => signal.removeEventListener('abort', stop));
      },
      use: (id, digest) => channel.call('useRequest', id, digest),
      cancel: (id) => channel.call('cancelRequest', id),
    },
    pins: {
      of: (target) => channel.call('pinsOf', target),
      put: (target, name, text, instead) => channel.call('putPin', target, name, text, instead),
    },
    sessions: {
      opening: (session) => channel.post('opening', session),
      recorded: (session) => channel.call('recorded', session),
      dropped: (session) => channel.post('dropped', session),
      opened: (session) => channel.post('opened', session),
      ended: (session, reason, counts) => channel.post('ended', session, reason, counts),
      sealed: (session, seal) => channel.post('sealed', session, seal),
      onEnd: (callback) => {
        end = callback;
      },
    },
    own: {
      request: (id) => channel.call('ownRequest', id),
      sessions: (principal, limit) => channel.call('ownSessions', principal, limit),
      credentialIsFor: (id, target) => channel.call('credentialIsFor', id, target),
    },
    policies,
    peers: {
      // Whoever is gone has nothing left that could be out of date.
      tell: (connector, text) => channel.call('tell', connector, text).catch(() => undefined),
      onTold: (callback) => {
        told = callback;
      },
    },
    refused: (refusal) => channel.post('refused', refusal),
  };
  return {
    control,
    end: (session, reason, message) => end(session, reason, message),
    told: async (connector, text) => told(connector, text),
  };
}
