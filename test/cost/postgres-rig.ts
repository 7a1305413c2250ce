/**
 * The PostgreSQL connector with everything behind it (policy, pipeline, masking, recording on disk) and nothing in front
 * of it: the client's and the server's bytes are handed over in memory, so that what a statement costs can be counted
 * without sockets, timers or another process taking part. The catalog comes from a real server; the answers are written
 * here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgresConnector } from '@sluice/connectors/postgres/connector.ts';
import { sqlDeclarations } from '@sluice/connectors/sql/verbs.ts';
import type { Admission, Log } from '@sluice/core/contract/connector.ts';
import type { ClientLink, UpstreamSocket } from '@sluice/core/contract/link.ts';
import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import { createCellMasker } from '@sluice/core/masking/masker.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import { createTextMaskers } from '@sluice/core/masking/text-maskers.ts';
import { openSession } from '@sluice/core/pipeline/open.ts';
import type { PipelinePorts } from '@sluice/core/pipeline/ports.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { EnforcedPolicies } from '@sluice/policy/snapshot.ts';
import { platformDigests } from '@sluice/server/crypto/digests.ts';
import { randomIds } from '@sluice/server/crypto/ids.ts';
import { dialSocket } from '@sluice/server/network/dial.ts';
import { noOperations } from '@sluice/server/operations/no-operations.ts';
import type { Disk } from '@sluice/server/recording/disk.ts';
import { memoryPins } from '@sluice/server/store/memory-pins.ts';
import { systemClock as clock } from '@sluice/server/telemetry/clock.ts';
import type { TestPostgres } from '../harness/postgres.ts';
import { cstring, message, startup } from '../harness/raw-postgres.ts';
import { openTestRecordings } from '../harness/recordings.ts';

export interface RigOptions {
  readonly postgres: TestPostgres;
  readonly policies: string;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Where recordings go instead of the disk itself. */
  readonly disk?: Disk;
}

export interface Rig {
  /** Opens a session. Nothing moves in it but by `client.send` and `server.send`. */
  session(): Promise<RigSession>;
  stop(): Promise<void>;
}

export interface RigSession {
  readonly client: MemoryLink;
  readonly server: MemoryLink;
}

/** One end of a connection in memory: what is written is kept until it is taken. */
export class MemoryLink implements ClientLink, UpstreamSocket {
  readonly remote = '127.0.0.1:1';
  readonly loopback = true;
  readonly secure = false;
  readonly canTls = false;
  /** Calls that a socket would make a system call for. */
  writes = 0;
  /** Takes what is written at once, as an operating system does that has room. */
  takesAtOnce = false;
  readonly #written: Uint8Array[] = [];
  #onData: ((chunk: Uint8Array) => void) | undefined;
  readonly #early: Uint8Array[] = [];
  #onClose: () => void = () => {};
  #corked = 0;

  send(bytes: Uint8Array): void {
    if (this.#onData) this.#onData(bytes);
    else this.#early.push(bytes);
  }

  taken(): Buffer {
    return Buffer.concat(this.parts());
  }

  /** As it was written, piece by piece; taken. */
  parts(): readonly Uint8Array[] {
    return this.#written.splice(0);
  }

  /** Forgets what was written, without looking at it. */
  clear(): void {
    this.#written.length = 0;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#onData = callback;
    for (const bytes of this.#early.splice(0)) callback(bytes);
  }
  onClose(callback: () => void): void {
    this.#onClose = callback;
  }
  onDrain(): void {}
  write(bytes: Uint8Array): boolean {
    this.#written.push(this.takesAtOnce ? Buffer.from(bytes) : bytes);
    if (this.#corked === 0) this.writes++;
    return true;
  }
  get sent(): boolean {
    return this.takesAtOnce;
  }
  cork(): void {
    this.#corked++;
  }
  uncork(): void {
    this.#corked--;
    this.writes++;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.#onClose();
  }
  destroy(): void {
    this.#onClose();
  }
  startTls(): Promise<void> {
    return Promise.reject(new Error('there is no TLS in memory'));
  }
  channelBinding(): undefined {
    return undefined;
  }
}

const target = { name: 'shop', connector: 'postgres', tags: ['env=test'] };
const principal: Principal = {
  kind: 'agent',
  id: 'https://idp.test#agent',
  issuer: 'https://idp.test',
  subject: 'agent',
  displayName: 'agent',
  groups: ['agents'],
  chain: [],
  expiresAt: Number.MAX_SAFE_INTEGER,
};

export async function createRig(options: RigOptions): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-rig-'));
  const { recordings } = await openTestRecordings(dataDir, {}, options.disk ? { disk: options.disk } : {});
  const loaded = loadPolicies([{ path: 'rig.cedar', text: options.policies }], [sqlDeclarations]);
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message: text }) => text).join('\n'));
  const policies = new EnforcedPolicies(loaded.set, 1);
  const digests = platformDigests(new Uint8Array(32));
  const quiet = (): void => {};
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const upstreams: MemoryLink[] = [];
  const { postgres } = options;
  const access = { tls: 'disable', settings: { database: postgres.database } } as const;
  const credential = {
    username: postgres.superuser,
    secrets: { password: new Redacted(postgres.password) },
  };
  const dialAside = async (): Promise<UpstreamAccess> => ({
    ...access,
    credential,
    socket: await dialSocket('shop', { host: postgres.host, port: postgres.port, tls: { mode: 'disable' } }),
  });
  const connector = createPostgresConnector({
    targets: [{ name: 'shop', settings: access.settings }],
    key: () => new Redacted(''),
    pins: memoryPins(),
    operations: noOperations,
    issuers: [],
    clock,
    labels: createLabelMap(options.labels ?? {}),
    limits: { preAuthBytes: 65_536, preAuthTime: 60_000, messageBytes: 16_777_216, statementBytes: 262_144 },
    log,
    dialAside,
  });
  const ports: PipelinePorts = {
    clock,
    ids: randomIds,
    digests,
    policy: { current: () => policies, onChange: () => () => {} },
    requests: {
      open: () => Promise.reject(new Error('nothing is held in the rig')),
      settled: () => Promise.reject(new Error('nothing is held in the rig')),
      use: () => Promise.resolve(false),
      cancel: () => Promise.resolve(),
    },
    recorders: recordings.recorders,
    target: () => target,
    dial: async () => {
      const socket = new MemoryLink();
      upstreams.push(socket);
      return { ...access, credential, socket };
    },
    masker: (session) => createCellMasker({ strategies: new Map(), digests, scope: session.id }),
    texts: (session, hidden) =>
      createTextMaskers(createCellMasker({ strategies: new Map(), digests, scope: session.id }), hidden, () => false),
    isMasked,
    discharges: () => connector.discharges,
    sessions: { opened: () => {}, ended: () => {} },
    requestUrl: (id) => id,
    approvals: { park: 1_000 },
    overhead: { micros: () => performance.now() * 1_000, spent: () => {} },
  };
  const admission: Admission = {
    identity: {
      bearer: () => Promise.resolve(principal),
      scramVerifier: () => Promise.reject(new Error('tokens only')),
      proves: () => Promise.resolve(false),
      redeem: () => Promise.reject(new Error('tokens only')),
      isCredentialId: () => false,
    },
    open: (opening) => openSession(ports, opening, { address: '127.0.0.1:1', secure: false }),
    refused: () => {},
  };
  return {
    session: () => openRigSession((link) => connector.accept(link, admission), upstreams),
    stop: async () => {
      await connector.close();
      await recordings.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export const ready = message('Z', Buffer.from('I'));

/** What a server says when it takes a connection without asking for anything, and then to the gateway's own question. */
const greeting = Buffer.concat([
  message('R', Buffer.alloc(4)),
  ...[
    ['client_encoding', 'UTF8'],
    ['standard_conforming_strings', 'on'],
    ['server_version', '15.0'],
    ['DateStyle', 'ISO, MDY'],
    ['IntervalStyle', 'postgres'],
    ['TimeZone', 'UTC'],
  ].map(([name, value]) => message('S', Buffer.concat([cstring(name ?? ''), cstring(value ?? '')]))),
  message('K', Buffer.alloc(8)),
  ready,
]);

async function openRigSession(
  accept: (link: MemoryLink) => Promise<void>,
  upstreams: MemoryLink[],
): Promise<RigSession> {
  const client = new MemoryLink();
  const at = upstreams.length;
  const served = accept(client);
  const until = async (holds: () => boolean): Promise<void> => {
    const patience = Date.now() + 30_000;
    while (!holds()) {
      if (Date.now() > patience) throw new Error('the session does not get on');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  let seen = Buffer.alloc(0);
  const says = (type: string) => () => {
    seen = Buffer.concat([seen, client.taken()]);
    return seen.includes(type);
  };
  client.send(startup({ user: 'anyone', database: 'shop' }));
  await until(says('R'));
  client.send(message('p', cstring('token')));
  await until(() => upstreams.length > at);
  const server = upstreams[at] as MemoryLink;
  await until(() => server.taken().length > 0);
  server.send(greeting);
  await until(() => server.taken().length > 0);
  server.send(
    Buffer.concat([
      rowDescription([
        ['a', 0, 0, 25],
        ['b', 0, 0, 25],
        ['c', 0, 0, 25],
        ['d', 0, 0, 25],
      ]),
      dataRow(['["pg_catalog","public"]', 'postgres', 'postgres', 'postgres']),
      message('C', cstring('SELECT 1')),
      ready,
    ]),
  );
  await served;
  await until(says('Z'));
  client.clear();
  return { client, server };
}

/** Columns as name, table, attribute and type. */
export function rowDescription(columns: readonly (readonly [string, number, number, number])[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(columns.length);
  const described = columns.map(([name, table, attribute, type]) => {
    const rest = Buffer.alloc(18);
    rest.writeUInt32BE(table, 0);
    rest.writeInt16BE(attribute, 4);
    rest.writeUInt32BE(type, 6);
    rest.writeInt16BE(-1, 10);
    rest.writeInt32BE(-1, 12);
    return Buffer.concat([cstring(name), rest]);
  });
  return message('T', Buffer.concat([count, ...described]));
}

export function dataRow(cells: readonly string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(cells.length);
  const parts = cells.map((cell) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(Buffer.byteLength(cell));
    return Buffer.concat([length, Buffer.from(cell)]);
  });
  return message('D', Buffer.concat([count, ...parts]));
}

export function selected(columns: Buffer, rows: readonly Buffer[]): Buffer {
  return Buffer.concat([columns, ...rows, message('C', cstring(`SELECT ${rows.length}`)), ready]);
}
