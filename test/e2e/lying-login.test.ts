// Upstreams that lie while the gateway logs in: the client gets a proper refusal, and the gateway lives.
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createScriptedUpstream, type HostileUpstream, type Peer, type Script } from '../harness/hostile-upstream.ts';
import {
  cstring,
  fieldsOf,
  int16,
  int32,
  message,
  type RawMessage,
  RawPostgres,
  shown,
  startup,
} from '../harness/raw-postgres.ts';

const secret = 'the-upstream-password';
let script: Script;
let upstream: HostileUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await createScriptedUpstream((peer) => script(peer));
  gateway = await createTestGateway({
    postgres: { ...upstream, superuser: 'sluice', password: secret, database: 'shop' },
    config: '"limits": {"pre_auth_time": "5s"}',
  });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
  // The first one's question for the catalog, on a connection of its own, is still open when the second one comes.
  let connections = 2;
  for (const [name, silence] of silences) {
    const due = upstream.accepted() + connections;
    connections = 1;
    script = silence;
    const refused = refusal();
    refused.catch(() => {});
    silenced.set(name, refused);
    await vi.waitUntil(() => upstream.accepted() >= due, { timeout: 30_000 });
  }
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

const request = (code: number, body: Uint8Array = Buffer.alloc(0)): Buffer => message('R', int32(code), body);
const saslOffer = request(10, Buffer.concat([cstring('SCRAM-SHA-256'), Buffer.from([0])]));
const authOk = request(0);
const notice = message('N', cstring('SNOTICE'), cstring('C00000'), cstring('Mwait for it'), Buffer.from([0]));
const parameter = (name: string, value: string): Buffer => message('S', cstring(name), cstring(value));
const honest = Buffer.concat([
  authOk,
  parameter('client_encoding', 'UTF8'),
  parameter('standard_conforming_strings', 'on'),
]);
const key = message('K', int32(1), int32(2));
const ready = message('Z', Buffer.from('I'));

/** Runs SCRAM up to the server's first message, which the test makes of the client's nonce. */
function scram(first: (nonce: string) => string, then: (peer: Peer) => unknown = () => {}): Script {
  return async (peer) => {
    await peer.startup();
    peer.send(saslOffer);
    const initial = (await peer.message()).toString('latin1');
    peer.send(request(11, Buffer.from(first(/r=(.*)$/.exec(initial)?.[1] ?? ''))));
    await peer.message();
    await then(peer);
  };
}

/** Says it behind the startup packet. */
function says(...bytes: readonly Uint8Array[]): Script {
  return async (peer) => {
    await peer.startup();
    peer.send(...bytes);
  };
}

function saysAndEnds(...bytes: readonly Uint8Array[]): Script {
  return async (peer) => {
    await says(...bytes)(peer);
    peer.end();
  };
}

function floods(bytes: Uint8Array, before: Uint8Array = Buffer.alloc(0)): Script {
  return async (peer) => {
    await says(before)(peer);
    await peer.flood(bytes);
  };
}

const goodFirst = (nonce: string): string => `r=${nonce}x,s=${randomBytes(16).toString('base64')},i=4096`;

const lies: readonly (readonly [string, Script, string])[] = [
  ['an oversized SCRAM nonce', scram((nonce) => `r=${nonce}${'x'.repeat(20_000)},s=AAAA,i=4096`), '08004'],
  ['a SCRAM nonce that is not an answer to ours', scram(() => 'r=abcdefghijklmnopqrstuvwx,s=AAAA,i=4096'), '08004'],
  ['a SCRAM salt that is none', scram((nonce) => `r=${nonce}x,s=!!,i=4096`), '08004'],
  ['a million rounds of SCRAM', scram((nonce) => `r=${nonce}x,s=AAAA,i=999999999`), '08004'],
  ['no rounds of SCRAM', scram((nonce) => `r=${nonce}x,s=AAAA,i=0`), '08004'],
  ['a login without its SCRAM proof', scram(goodFirst, (peer) => peer.send(honest, key, ready)), '08P01'],
  [
    'a SCRAM proof that is wrong',
    scram(goodFirst, (peer) =>
      peer.send(request(12, Buffer.from(`v=${createHmac('sha256', 'x').digest('base64')}`)), honest, key, ready),
    ),
    '08004',
  ],
  ['SCRAM asked for twice', scram(goodFirst, (peer) => peer.send(saslOffer)), '08004'],
  ['the second SCRAM message without the first', says(request(11, Buffer.from('r=x,s=AAAA,i=1'))), '08004'],
  ['SASL without a mechanism we know', says(request(10, Buffer.from('NONE\0\0'))), '08004'],
  ['an authentication method of another world', says(request(7)), '08004'],
  ['an MD5 salt of the wrong size', says(request(5, Buffer.from('toolong'))), '08P01'],
  ['an authentication request without a code', says(message('R', Buffer.from([0]))), '08P01'],
  ['the same password asked for over and over', floods(request(3)), '08P01'],
  ['notices before authentication', says(notice), '08P01'],
  ['endless notices', floods(notice, honest), '08P01'],
  ['endless parameters', floods(parameter('a', 'b'), honest), '08P01'],
  ['a negative length', says(Buffer.from('R'), int32(-1)), '08P01'],
  ['a length that does not hold itself', says(Buffer.from('R'), int32(3)), '08P01'],
  ['a message of 2 GiB', says(Buffer.from('R'), int32(0x7fffffff), Buffer.alloc(1_000)), '08P01'],
  ['another protocol', says(Buffer.from('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')), '08P01'],
  ['an error without its end', says(message('E', Buffer.from('SFATAL\0C28000\0Mno'))), '08P01'],
  ['an error without anything', says(message('E')), '08P01'],
  ['another encoding', says(authOk, parameter('client_encoding', 'SJIS'), key, ready), '08004'],
  ['other string rules', says(honest, parameter('standard_conforming_strings', 'off'), key, ready), '08004'],
  ['a state that does not exist', says(honest, key, message('Z', Buffer.from('X'))), '08P01'],
  ['rows before anything was asked', says(honest, message('D', int16(0))), '08P01'],
  ['a goodbye at once', (peer) => peer.end(), '08006'],
  ['a goodbye in the middle', saysAndEnds(saslOffer), '08006'],
];

/** The gateway waits for these as long as it does for any login, so they are all begun before the others. */
const silences: readonly (readonly [string, Script])[] = [
  ['no word at all', () => {}],
  ['no word behind its greeting', says(honest)],
];
const silenced = new Map<string, ReturnType<typeof refusal>>();

async function refusal(): Promise<{ seen: RawMessage[]; fields: Record<string, string> }> {
  const client = await RawPostgres.open(gateway.host, gateway.port);
  client.send(startup({ user: 'anyone', database: 'shop' }));
  await client.until('R');
  client.send(message('p', cstring(token)));
  const seen = await client.rest();
  return { seen, fields: seen[0] ? fieldsOf(seen[0]) : {} };
}

describe('a database that answers a login with', () => {
  const refusedWith = async (refused: ReturnType<typeof refusal>, code: string): Promise<void> => {
    const { seen, fields } = await refused;
    expect(seen.map(shown)).toEqual([`E:${code}`]);
    expect(fields).toMatchObject({ S: 'FATAL', V: 'FATAL' });
    expect(JSON.stringify(fields)).not.toContain(secret);
    expect(fields['M']).toMatch(/database|target/i);
  };
  test.each(lies)('%s', { timeout: 60_000 }, async (_, lie, code) => {
    script = lie;
    await refusedWith(refusal(), code);
  });
  test.each(silences)('%s', { timeout: 60_000 }, async (name) => {
    await refusedWith(silenced.get(name) ?? Promise.reject(new Error('not begun')), '08006');
  });
});

test('a login refused with many words tells the client its code alone, and the log all of it', async () => {
  const words = 'role "sluice" of host 10.1.2.3 is not permitted';
  script = says(message('E', cstring('SFATAL'), cstring('C28000'), cstring(`M${words}`), Buffer.from([0])));
  const { seen, fields } = await refusal();
  expect(seen.map(shown)).toEqual(['E:08004']);
  expect(fields['M']).toContain('28000');
  expect(JSON.stringify(fields)).not.toContain('10.1.2.3');
  await expect.poll(() => readFile(gateway.logFile, 'utf8')).toContain('10.1.2.3');
});

test('none of it left a session open, or the password in the log', async () => {
  const api = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
  await expect.poll(async () => (await api.sessions({ live: true })).items).toEqual([]);
  expect(await readFile(gateway.logFile, 'utf8')).not.toContain(secret);
});
