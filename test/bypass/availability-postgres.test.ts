// What one client can do to keep a gateway from serving the others. No row measures time: each sends what once took
// minutes, or memory without end, and then asks for an answer. Rows are never removed.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cstring, message, parse, query, RawPostgres, shown, startup, sync } from '../harness/raw-postgres.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';

const policies = `
@id("use") permit (principal, action in [Action::"connect", Action::"execute"], resource);
@id("few") @limit_rows("2") permit (principal, action in Action::"read", resource);
@id("no-drop") forbid (principal, action == Action::"sql:drop", resource);
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 6)' });
  gateway = await createTestGateway({ postgres, policies });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function others(): Promise<string[]> {
  const client = await RawPostgres.login(gateway, token);
  client.send(query('SELECT 1'));
  const seen = (await client.until('Z')).map(shown);
  client.end();
  return seen;
}
const served = ['T', 'D', 'C:SELECT 1', 'Z:I'];

describe('others are served', () => {
  test.each([
    ['one long word', 'a'.repeat(200_000)],
    ['words', 'a_ '.repeat(60_000)],
    ['claims', "run='x',".repeat(25_000)],
    ['claims that never end', "run='\\".repeat(40_000)],
  ])('while a comment is read that is made of %s', async (_, comment) => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query(`SELECT 1 /*${comment}*/`));
    expect((await client.until('Z')).map(shown)).toEqual(served);
    expect(await others()).toEqual(served);
    client.end();
  });

  test('while 300,000 messages are under way', async () => {
    const socket = connect({ host: gateway.host, port: gateway.port });
    await once(socket, 'connect');
    socket.write(startup({ user: 'anyone', database: 'shop' }));
    socket.write(message('p', cstring(token)));
    const count = 300_000;
    let bytes = 0;
    const all = new Promise<void>((resolve) => {
      let loggedIn = false;
      socket.on('data', (chunk: Buffer) => {
        if (loggedIn) bytes += chunk.length;
        else if (chunk.includes('Z\0\0\0\x05I', 0, 'latin1')) {
          loggedIn = true;
          socket.write(Buffer.concat(Array<Buffer>(count).fill(sync)));
        }
        if (bytes >= count * 6) resolve();
      });
    });
    expect(await others()).toEqual(served);
    await all;
    expect(bytes).toBe(count * 6);
    socket.destroy();
  });

  test('while a client sends what is refused, and does not read why', async () => {
    const socket = connect({ host: gateway.host, port: gateway.port });
    await once(socket, 'connect');
    socket.write(startup({ user: 'anyone', database: 'shop' }));
    socket.write(message('p', cstring(token)));
    for (let seen = ''; !seen.endsWith('Z\0\0\0\x05I'); ) seen += (await once(socket, 'data'))[0].toString('latin1');
    socket.pause();
    const burst = Buffer.concat(Array<Buffer>(5_000).fill(query('DROP TABLE t')));
    // The gateway stops reading once what it has to say is not read: then, and only then, this stops draining.
    let drained = true;
    for (let sent = 0; sent < 400 && drained; sent++) {
      if (socket.write(burst)) continue;
      const drain = new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true)));
      drained = await Promise.race([
        drain,
        others()
          .then(others)
          .then(others)
          .then(() => false),
      ]);
    }
    expect(drained).toBe(false);
    expect(await others()).toEqual(served);
    socket.destroy();
  });

  test('while one prepares ten thousand statements', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(Buffer.concat([...Array.from({ length: 10_000 }, (_, n) => parse(`s${n}`, 'SELECT 1')), sync]));
    expect((await client.until('Z')).length).toBe(10_001);
    expect(await others()).toEqual(served);
    client.end();
  });
});

describe('a limit of rows holds', () => {
  test.each([
    ['plain', 'SELECT id FROM t', 'D'],
    ['rows too large to be held', "SELECT repeat('x', 2000000) FROM t", 'D'],
    ['COPY', 'COPY t TO STDOUT', 'd'],
    ['COPY of rows too large to be held', "COPY (SELECT repeat('x', 2000000) FROM t) TO STDOUT", 'd'],
    ['a cursor', 'BEGIN; DECLARE c CURSOR FOR SELECT id FROM t; FETCH ALL FROM c; ROLLBACK', 'D'],
    ['the lines of EXPLAIN', 'EXPLAIN SELECT id FROM t ORDER BY id, id + 1, id + 2', 'D'],
  ])('for %s', async (_, text, type) => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query(text));
    expect((await client.until('Z')).filter((one) => one.type === type).length).toBeLessThanOrEqual(2);
    client.end();
  });
});

test('every one of these sessions left a whole recording', async () => {
  expect(await sealedRecordings(gateway)).toBeGreaterThan(15);
});
