// What one statement costs, counted: how often the grammar, policy and the operating system are asked, what is copied,
// what is allocated. Counts are the same on a slow machine and a busy one, so a change that makes statements dearer
// fails here and nowhere by chance.
import * as grammar from '@sluice/connectors/postgres/meaning/grammar.ts';
import { Engine } from '@sluice/policy/engine.ts';
import { realDisk } from '@sluice/server/recording/disk.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  cstring,
  describe as describeMessage,
  execute,
  message,
  parse,
  query,
  sync,
} from '../harness/raw-postgres.ts';
import { allocated } from './allocated.ts';
import { createRig, dataRow, type Rig, type RigSession, ready, rowDescription, selected } from './postgres-rig.ts';

const policies = `
@id("agents-read") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("agents-write") permit (principal, action in Action::"write", resource in Schema::"shop/public");
@id("no-drop") forbid (principal, action == Action::"sql:drop", resource);
@id("no-keys") forbid (principal, action in Action::"read", resource in Table::"shop/public/keys");
`;

let postgres: TestPostgres;
let rig: Rig;
let session: RigSession;
let columns: { readonly clear: Buffer; readonly masked: Buffer };
const writes = { recording: 0 };

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: 'CREATE TABLE people (id int PRIMARY KEY, name text, ssn text, note text)',
  });
  const [found] = await postgres.sql<{ oid: number }>("select 'people'::regclass::oid::int as oid");
  const oid = found?.oid ?? 0;
  const [name, ssn, note] = [2, 3, 4].map((attribute) => [`c${attribute}`, oid, attribute, 25] as const);
  if (!name || !ssn || !note) throw new Error('no columns');
  columns = { clear: rowDescription([name, note]), masked: rowDescription([name, ssn, note]) };
  rig = await createRig({
    postgres,
    policies,
    labels: { ssn: ['*.people.ssn'] },
    disk: {
      ...realDisk,
      write: (...args) => {
        writes.recording++;
        return realDisk.write(...args);
      },
      writeBoth: (...args) => {
        writes.recording++;
        return realDisk.writeBoth(...args);
      },
    },
  });
});
afterAll(async () => {
  await rig?.stop();
  await postgres?.stop();
});
beforeEach(async () => {
  session = await rig.session();
  return () => session.client.end();
});

const clear = 'select name, note from people where id = 1';
const masked = 'select name, ssn, note from people where id = 1';
const row = dataRow(['Ada', 'x'.repeat(60)]);
const maskedRow = dataRow(['Ada', '000-11-2222', 'x'.repeat(60)]);

/** Sends a statement and the server's answer to it; resolves with what the client was given. */
async function exchange(asked: Buffer, answer: Buffer): Promise<readonly Uint8Array[]> {
  const { client, server } = session;
  const before = server.writes;
  client.send(asked);
  while (server.writes === before) await new Promise((resolve) => setImmediate(resolve));
  server.clear();
  server.send(answer);
  return client.parts();
}

const simple = (): Promise<readonly Uint8Array[]> => exchange(query(clear), selected(columns.clear, [row]));

const prepared = (): Promise<readonly Uint8Array[]> =>
  exchange(
    Buffer.concat([bind('', 's', []), describeMessage('P', ''), execute('', 0), sync]),
    Buffer.concat([message('2', Buffer.alloc(0)), selected(columns.clear, [row])]),
  );

function prepare(): Promise<readonly Uint8Array[]> {
  return exchange(Buffer.concat([parse('s', clear), sync]), Buffer.concat([message('1', Buffer.alloc(0)), ready]));
}

describe('a statement that comes again', () => {
  test('is neither parsed nor put to Cedar again', async () => {
    await simple();
    const parsed = vi.spyOn(grammar, 'parse');
    const asked = vi.spyOn(Engine.prototype, 'applying');
    for (let n = 0; n < 100; n++) await simple();
    await prepare();
    for (let n = 0; n < 100; n++) await prepared();
    expect(parsed).not.toHaveBeenCalled();
    expect(asked).not.toHaveBeenCalled();
    // The spies do see what is new.
    await exchange(query('delete from people where id = 1'), Buffer.concat([message('C', cstring('DELETE 0')), ready]));
    expect(parsed).toHaveBeenCalled();
    expect(asked).toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('with another literal is neither parsed nor put to Cedar again', async () => {
    const ask = (id: number) =>
      exchange(query(`select name, note from people where id = ${id}`), selected(columns.clear, [row]));
    for (const id of [1, 2, 3]) await ask(id);
    const parsed = vi.spyOn(grammar, 'parse');
    const asked = vi.spyOn(Engine.prototype, 'applying');
    for (let id = 4; id < 100; id++) await ask(id);
    expect(parsed).not.toHaveBeenCalled();
    expect(asked).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test.each([
    ['in a simple query', async () => {}, simple],
    ['prepared', prepare, prepared],
  ])('is written once to the server, once to the client, once to the recording before: %s', async (_, first, ask) => {
    await first();
    await ask();
    const { client, server } = session;
    const was = { client: client.writes, server: server.writes, recording: writes.recording };
    for (let n = 0; n < 100; n++) await ask();
    expect(server.writes - was.server).toBe(100);
    expect(client.writes - was.client).toBe(100);
    // What an answer adds goes with the next statement, or with the group's round.
    expect(writes.recording - was.recording).toBeGreaterThanOrEqual(100);
    expect(writes.recording - was.recording).toBeLessThanOrEqual(130);
  });

  test.each<[string, () => Promise<unknown>, () => Promise<unknown>, number]>([
    ['in a simple query', async () => {}, simple, 18_000],
    ['prepared', prepare, prepared, 40_000],
  ])('allocates within bounds: %s', async (_, first, ask, bytes) => {
    await first();
    for (let n = 0; n < 500; n++) await ask();
    const each =
      (await allocated(async () => {
        for (let n = 0; n < 1_000; n++) await ask();
      })) / 1_000;
    expect(each).toBeGreaterThan(100);
    expect(each).toBeLessThan(bytes);
  });
});

describe('rows', () => {
  const rows = 200;

  test('that nothing is masked in go to the client from where the server put them', async () => {
    const answer = selected(columns.clear, Array(rows).fill(row));
    const parts = await exchange(query(clear), answer);
    expect(Buffer.concat(parts)).toEqual(answer);
    const copied = parts.filter(({ buffer }) => buffer !== answer.buffer);
    expect(copied.reduce((sum, { length }) => sum + length, 0)).toBe(0);
  });

  test('that are masked are copied once, and leave in one write', async () => {
    const answer = selected(columns.masked, Array(rows).fill(maskedRow));
    const before = session.client.writes;
    const parts = await exchange(query(masked), answer);
    expect(session.client.writes - before).toBe(1);
    expect(parts.length).toBeLessThanOrEqual(3);
    const shown = Buffer.concat(parts);
    expect(shown.includes('000-11-2222')).toBe(false);
    expect(shown.toString('latin1').split('#*masked*#')).toHaveLength(rows + 1);
  });

  test.each([
    ['clear', () => exchange(query(clear), selected(columns.clear, Array(rows).fill(row))), 250],
    ['masked', () => exchange(query(masked), selected(columns.masked, Array(rows).fill(maskedRow))), 700],
  ])('allocate within bounds: %s', async (_, ask, bytes) => {
    for (let n = 0; n < 100; n++) await ask();
    const each =
      (await allocated(async () => {
        for (let n = 0; n < 100; n++) await ask();
      })) /
      (100 * rows);
    expect(each).toBeLessThan(bytes);
  });
});
