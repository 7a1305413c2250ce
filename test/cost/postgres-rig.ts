/**
 * Sessions of the PostgreSQL connector in a rig (`connector-rig.ts`). The catalog comes from a real server; the answers
 * are written here.
 */
import { createPostgresConnector } from '@sluice/connectors/postgres/connector.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { dialSocket } from '@sluice/server/network/dial.ts';
import type { Disk } from '@sluice/server/recording/disk.ts';
import type { TestPostgres } from '../harness/postgres.ts';
import { cstring, message, startup } from '../harness/raw-postgres.ts';
import { createConnectorRig, until } from './connector-rig.ts';
import { MemoryLink } from './memory-link.ts';

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

export async function createRig(options: RigOptions): Promise<Rig> {
  const { postgres, policies, labels = {}, disk } = options;
  const access = {
    tls: 'disable',
    settings: { database: postgres.database },
    credential: { username: postgres.superuser, secrets: { password: new Redacted(postgres.password) } },
  } as const;
  const rig = await createConnectorRig({
    connector: createPostgresConnector,
    target: 'shop',
    access,
    dialAside: async () => ({
      ...access,
      socket: await dialSocket('shop', { host: postgres.host, port: postgres.port, tls: { mode: 'disable' } }),
    }),
    policies,
    labels,
    disk,
  });
  return { session: () => openRigSession((link) => rig.accept(link), rig.upstreams), stop: rig.stop };
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
  upstreams: readonly MemoryLink[],
): Promise<RigSession> {
  const client = new MemoryLink();
  const at = upstreams.length;
  const served = accept(client);
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
