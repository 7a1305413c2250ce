import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type ControlParts, type ControlPort, createControlPort } from './control-port.ts';
import { LatelyProven } from './identity/lately-proven.ts';
import { RevocationNews } from './identity/revocation-news.ts';
import { PeerHub } from './peer-hub.ts';
import { LiveSessions } from './sessions/live-sessions.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const counts = { units: 1, denied: 0, held: 0 };
const seal = { reason: 'client_closed', events: 2, head: 'ab' } as const;

/** What the journal was asked to witness, what the index was told, and what was recovered. */
let facts: string[];
let news: RevocationNews;
let proven: LatelyProven;
let live: LiveSessions;
let peers: PeerHub;

function session(id: string): SessionInfo {
  return { id, startedAt: 1, target: { name: 'shop' }, principal: { id: 'p', chain: [] } } as unknown as SessionInfo;
}

function port(): ControlPort {
  const parts = {
    log: quiet,
    live,
    peers,
    principals: {},
    recordings: {
      witness: {
        opened: ({ id }: SessionInfo) => void facts.push(`opened ${id}`),
        sealed: (id: string) => void facts.push(`sealed ${id}`),
      },
      recover: async (left: readonly SessionInfo[]) => {
        facts.push(`recovered ${left.map(({ id }) => id).join(' ')}`);
        return [];
      },
    },
    proven,
    endIfRevoked: ({ id }: SessionInfo) => void facts.push(`checked ${id}`),
  };
  return createControlPort(parts as unknown as ControlParts);
}

beforeEach(() => {
  facts = [];
  news = new RevocationNews();
  proven = new LatelyProven(news, { now: () => 5 });
  peers = new PeerHub(quiet);
  live = new LiveSessions({
    clock: { now: () => 5 },
    log: quiet,
    audit: { record: () => {} },
    index: {
      opened: async () => {},
      ended: async (id, reason, how) => void facts.push(`${id} ${reason} ${how ? how.units : 'unknown'}`),
      kill: async () => true,
    },
    pathOf: () => 'path',
    metrics: { opened: () => {}, ended: () => {} },
  });
});

async function open(at: ControlPort, id: string): Promise<void> {
  at.sessions.opening(session(id));
  await at.sessions.recorded(session(id));
  at.sessions.opened(session(id));
}

describe('a data plane that is gone', () => {
  test('leaves its open sessions interrupted and its unsealed recordings recovered, and those only', async () => {
    const [one, other] = [port(), port()];
    await open(one, 'ses_open');
    await open(one, 'ses_ended');
    await open(one, 'ses_sealed');
    await open(other, 'ses_other');
    one.sessions.opening(session('ses_begun'));
    one.sessions.opening(session('ses_dropped'));
    one.sessions.dropped('ses_dropped');
    for (const id of ['ses_ended', 'ses_sealed']) one.sessions.ended(session(id), 'client_closed', counts);
    one.sessions.sealed('ses_sealed', seal);
    await new Promise((resolve) => setImmediate(resolve));
    facts = [];
    expect(await one.gone()).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(facts).toEqual(['ses_open interrupted unknown', 'recovered ses_open ses_ended ses_begun']);
    expect(live.has('ses_other')).toBe(true);
  });

  test('is not told of what is to end any more, and keeps nobody waiting', async () => {
    const [one, other] = [port(), port()];
    let told = 0;
    one.peers.onTold(() => new Promise(() => told++));
    await one.gone();
    await other.peers.tell('any', 'text');
    expect(told).toBe(0);
  });
});

describe('a data plane', () => {
  test('ends and seals no session but its own', async () => {
    const [one, other] = [port(), port()];
    await open(one, 'ses_one');
    facts = [];
    other.sessions.ended(session('ses_one'), 'client_closed', counts);
    other.sessions.sealed('ses_one', seal);
    expect(live.has('ses_one')).toBe(true);
    expect(facts).toEqual([]);
    expect(() => other.sessions.opened(session('ses_one'))).toThrow('open already');
  });

  test.each(['../../keys/seal', 'gateway-20260102T000000000Z-00', 'a/b', ''])(
    'has no recording witnessed or recovered under a name like %s',
    async (id) => {
      const one = port();
      expect(() => one.sessions.opening(session(id))).toThrow("can't be a session");
      expect(() => one.sessions.recorded(session(id))).toThrow('was not announced');
      await one.gone();
      expect(facts).toEqual(['recovered ']);
    },
  );

  test('is told of what is to end, by the session’s id', async () => {
    const one = port();
    const ends: string[] = [];
    one.sessions.onEnd((id, reason) => void ends.push(`${id} ${reason}`));
    await open(one, 'ses_one');
    live.killed('ses_one');
    live.killed('ses_two');
    expect(ends).toEqual(['ses_one killed']);
  });
});

describe('a session that opened', () => {
  const { principal } = session('ses_one');

  test('is checked once more where nobody has just proven the same', async () => {
    await open(port(), 'ses_one');
    expect(facts).toContain('checked ses_one');
  });

  test('is checked once more where something was revoked since it was proven', async () => {
    await proven.by(async () => principal, undefined);
    news.heard();
    await open(port(), 'ses_one');
    expect(facts).toContain('checked ses_one');
  });

  test('is not checked again where nothing was', async () => {
    await proven.by(async () => principal, undefined);
    await open(port(), 'ses_one');
    expect(facts).toEqual(['opened ses_one']);
  });
});

describe('instances of a connector', () => {
  test('tell each other and not themselves, and wait until the others have dealt with it', async () => {
    const [one, two, three] = [port(), port(), port()];
    const heard: string[] = [];
    let done: () => void = () => {};
    one.peers.onTold((_connector, text) => void heard.push(`one ${text}`));
    two.peers.onTold((connector, text) => {
      heard.push(`two ${connector} ${text}`);
      return new Promise((resolve) => {
        done = resolve;
      });
    });
    three.peers.onTold(() => Promise.reject(new Error('gone')));
    let over = false;
    const told = one.peers.tell('any', 'news').then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([heard, over]).toEqual([['two any news'], false]);
    done();
    await told;
  });
});
