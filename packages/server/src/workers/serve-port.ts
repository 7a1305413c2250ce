import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { ControlPort } from '../control-port.ts';
import type { ControlCalls } from './calls.ts';

export interface ServedPort {
  readonly calls: ControlCalls;
  /** The worker is gone: what its clients waited for is withdrawn. */
  end(): Promise<void>;
}

/** What a client of a worker waits for, and how the worker ends that. */
interface Wait {
  /** Id of the access request. */
  readonly request: string;
  readonly abort: AbortController;
}

/** Puts the port behind a channel: a worker's calls, each to the one thing of the port that it names. */
export function servePort(port: ControlPort): ServedPort {
  const { identity, requests, pins, sessions, own } = port;
  const waits = new Map<number, Wait>();
  const calls: ControlCalls = {
    bearer: (token) => identity.bearer(new Redacted(token)),
    scramVerifier: (credential) => identity.scramVerifier(credential),
    proves: (credential, secret) => identity.proves(credential, new Redacted(secret)),
    redeem: (credential, target) => identity.redeem(credential, target),
    admit: (principal, credential) => port.admit(principal, credential),
    openRequest: (draft) => requests.open(draft),
    settledRequest: async (id, number) => {
      const abort = new AbortController();
      waits.set(number, { request: id, abort });
      try {
        return await requests.settled(id, abort.signal);
      } finally {
        waits.delete(number);
      }
    },
    stopWaiting: (number) => waits.get(number)?.abort.abort(),
    useRequest: (id, digest) => requests.use(id, digest),
    cancelRequest: (id) => requests.cancel(id),
    pinsOf: (target) => pins.of(target),
    putPin: (target, name, text, instead) => pins.put(target, name, text, instead),
    opening: (session) => sessions.opening(session),
    recorded: (session) => sessions.recorded(session),
    dropped: (session) => sessions.dropped(session),
    opened: (session) => sessions.opened(session),
    ended: (session, reason, counts) => sessions.ended(session, reason, counts),
    sealed: (session, seal) => sessions.sealed(session, seal),
    ownRequest: (id) => own.request(id),
    ownSessions: (principal, limit) => own.sessions(principal, limit),
    credentialIsFor: (id, target) => own.credentialIsFor(id, target),
    tell: (connector, text) => port.peers.tell(connector, text),
    refused: (refusal) => port.refused(refusal),
  };
  return {
    calls,
    async end() {
      const left = [...waits.values()];
      for (const { abort } of left) abort.abort();
      await Promise.all(left.map(({ request }) => requests.cancel(request)));
    },
  };
}
