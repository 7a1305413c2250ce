// Stand-ins for the pipeline's ports, for its own tests only: everything in memory, time stands still until told.
import type { AbortSignalLike, AccessRequestBook, AccessRequestDraft } from '../contract/approvals.ts';
import type { PolicySnapshot, Question } from '../contract/policy.ts';
import type { Recorder } from '../contract/recorder.ts';
import type { AccessRequest } from '../domain/access-request.ts';
import type { Decision, Hold } from '../domain/decision.ts';
import { CoreError } from '../domain/error.ts';
import type { Principal } from '../domain/principal.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import type { SessionInfo } from '../domain/session.ts';
import type { Unit } from '../domain/unit.ts';
import type { PipelinePorts } from './ports.ts';

export const agent: Principal = {
  kind: 'agent',
  id: 'https://issuer.example#agent',
  issuer: 'https://issuer.example',
  subject: 'agent',
  displayName: 'agent',
  groups: ['react-agents'],
  chain: [],
  expiresAt: 10_000_000,
};

export const info: SessionInfo = {
  id: 'ses_test',
  principal: agent,
  target: { name: 'shop', connector: 'sql', tags: [] },
  client: { address: '127.0.0.1:1', secure: true },
  startedAt: 0,
};

export const hold: Hold = {
  consents: [{ policy: 'ask', group: 'dba', quorum: 1 }],
  grantTtl: 60_000,
  timeout: 600_000,
  wait: 'park',
};

export function unitOf(text: string, more: Partial<Unit> = {}): Unit {
  return {
    name: 'Query',
    bytes: [new TextEncoder().encode(text)],
    actions: [{ verb: 'sql:update', access: 'write', resources: [{ type: 'Target', id: 'shop' }], text, context: {} }],
    labels: [],
    exposures: [],
    parameters: [],
    binding: {},
    ...more,
  };
}

export function decided(effect: Decision['effect'], more: Partial<Decision> = {}): Decision {
  return {
    effect,
    policies: [effect],
    reasons: effect === 'allow' ? [] : [{ policy: effect, text: `it is ${effect}` }],
    obligations: [],
    ...(effect === 'hold' ? { hold } : {}),
    dryRun: [],
    policyHash: 'hash',
    ...more,
  };
}

export class World {
  decide: (question: Question) => Decision = () => decided('allow');
  reveals: (label: string) => boolean = () => false;
  readonly events: RecordingEvent[] = [];
  readonly sent: string[] = [];
  /** `events` handed over at the moment each piece was sent. */
  readonly flushedAtSend: number[] = [];
  readonly book = new Book();
  recordingFails = false;
  ended: string[] = [];
  readonly spent: [string, number][] = [];
  #flushed = 0;
  #timers: { at: number; run: () => void }[] = [];
  now = 0;

  readonly ports: PipelinePorts = {
    clock: {
      now: () => this.now,
      after: (ms, run) => {
        const timer = { at: this.now + ms, run };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
    },
    ids: { next: (prefix) => `${prefix}_test` },
    digests: {
      sha256: mix,
      sha256Into: (into, bytes) => into.set(mix(bytes)),
      sha256Hex: (bytes) => Array.from(mix(bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''),
      keyedHash: mix,
    },
    policy: { current: () => this.#snapshot(), onChange: () => () => {} },
    requests: this.book,
    recorders: { open: () => this.recorder },
    target: () => info.target,
    dial: () => Promise.reject(new CoreError('upstream_unreachable', 'upstream', 'unreachable')),
    masker: () => ({ mask: () => null, hide: () => null }),
    texts: (_session, hidden) => ({
      text: (text) => ({ value: hidden('pii') ? '' : text, labels: ['pii'], masked: hidden('pii') }),
      json: (value) => ({ value: hidden('pii') ? null : value, labels: ['pii'], masked: hidden('pii') }),
      jsonText: (value: string) => ({ value, labels: [], masked: false }),
      stream: () => {
        throw new Error('no stream is masked in these tests');
      },
    }),
    isMasked: (text) => text.includes('#***#'),
    discharges: () => ['mask', 'limit_rows'],
    sessions: { opened: () => {}, ended: (_, reason) => this.ended.push(reason) },
    requestUrl: (id) => `http://sluice.example/${id}`,
    approvals: { park: 30_000 },
    overhead: {
      micros: () => this.now * 1_000,
      spent: (_, stage, micros) => void this.spent.push([stage, micros]),
    },
  };

  readonly recorder: Recorder = {
    append: (event) => {
      this.#fail();
      this.events.push(event);
      return this.events.length - 1;
    },
    action: ({ unit, text, parameters, continues, spent }, facts) => {
      this.#fail();
      const more = continues === undefined ? {} : { continues };
      this.events.push({ type: 'action', unit, text, parameters, spent, ...facts, ...more });
      return this.events.length - 1;
    },
    rows: () => this.#fail(),
    cells: () => this.#fail(),
    flush: () => {
      this.#fail();
      this.#flushed = this.events.length;
    },
    behind: false,
    onReady: () => {},
    close: () => Promise.resolve(),
  };

  /** The socket of a target that notes what it is sent. */
  readonly socket = {
    remote: 'target:1',
    loopback: true,
    secure: false,
    onData: () => {},
    onClose: () => {},
    onDrain: () => {},
    write: (bytes: Uint8Array) => {
      this.sent.push(new TextDecoder().decode(bytes));
      this.flushedAtSend.push(this.#flushed);
      return true;
    },
    cork: () => {},
    uncork: () => {},
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
    startTls: () => Promise.resolve(),
    channelBinding: () => undefined,
  };

  /** Lets time pass. */
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
  }

  #fail(): void {
    if (this.recordingFails) throw new CoreError('recording_failed', 'gateway', 'The recording cannot be written.');
  }

  #snapshot(): PolicySnapshot {
    return {
      hash: 'hash',
      epoch: 1,
      decide: (question) => this.decide(question),
      nearest: () => undefined,
      reveals: (_principal, _target, label) => this.reveals(label),
    };
  }
}

/** Access requests of one test. */
export class Book implements AccessRequestBook {
  readonly requests: AccessRequest[] = [];
  readonly used: string[] = [];
  cancelled: string[] = [];
  #wake: (() => void) | undefined;

  async open(draft: AccessRequestDraft): Promise<AccessRequest> {
    const known = this.requests.find(
      (request) => request.digest === draft.digest && (request.state === 'pending' || request.state === 'approved'),
    );
    if (known) return known;
    const request: AccessRequest = {
      ...draft,
      id: `req_${this.requests.length}`,
      state: 'pending',
      approvals: [],
      createdAt: 0,
    };
    this.requests.push(request);
    return request;
  }

  settled(id: string, signal: AbortSignalLike): Promise<AccessRequest> {
    return new Promise((resolve) => {
      const answer = (): void => resolve(this.#get(id));
      if (signal.aborted || this.#get(id).state !== 'pending') answer();
      signal.addEventListener('abort', answer);
      this.#wake = answer;
    });
  }

  async use(id: string, digest: string): Promise<boolean> {
    const request = this.#get(id);
    if (request.state !== 'approved' || request.digest !== digest) return false;
    this.settle(id, 'used');
    this.used.push(id);
    return true;
  }

  async cancel(id: string): Promise<void> {
    this.cancelled.push(id);
    this.settle(id, 'cancelled');
  }

  settle(id: string, state: AccessRequest['state']): void {
    const index = this.requests.findIndex((request) => request.id === id);
    this.requests[index] = { ...this.#get(id), state };
    this.#wake?.();
  }

  #get(id: string): AccessRequest {
    const found = this.requests.find((request) => request.id === id);
    if (!found) throw new Error(`no request ${id}`);
    return found;
  }
}

/** No digest of use to anyone: it only tells different contents apart within a test. */
function mix(...parts: readonly Uint8Array[]): Uint8Array {
  const state = new Uint8Array(32);
  let at = 0;
  for (const part of parts) {
    for (const byte of part) {
      state[at % 32] = ((state[at % 32] ?? 0) * 31 + byte + at) & 0xff;
      at++;
    }
  }
  return state;
}
