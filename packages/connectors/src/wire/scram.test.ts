import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Binding, ScramClient, ScramError, ScramServer } from './scram.ts';

function verifierOf(password: string) {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
  const key = (text: string) => createHmac('sha256', salted).update(text).digest();
  return {
    salt,
    iterations: 4096,
    storedKey: createHash('sha256').update(key('Client Key')).digest(),
    serverKey: key('Server Key'),
  };
}

const endPoint = randomBytes(32);
const bound: Binding = { kind: 'tls-server-end-point', data: endPoint };

async function exchange(
  password: string,
  given: string,
  binding: Binding = { kind: 'none' },
  serverEndPoint?: Uint8Array,
) {
  const client = new ScramClient(binding);
  const mechanism = binding.kind === 'tls-server-end-point' ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  const server = new ScramServer(verifierOf(password), mechanism, serverEndPoint);
  const final = await client.final(server.first(client.first()), given);
  client.verify(server.final(final));
}

describe('SCRAM', () => {
  it('proves both sides to each other', async () => {
    await exchange('correct horse', 'correct horse');
    await exchange('correct horse', 'correct horse', bound, endPoint);
  });

  it('refuses a wrong password', async () => {
    await expect(exchange('correct horse', 'battery staple')).rejects.toThrow(ScramError);
  });

  it('refuses the binding to another connection', async () => {
    await expect(exchange('x', 'x', bound, randomBytes(32))).rejects.toThrow(ScramError);
  });

  it('notices that somebody took the offer of channel binding away', async () => {
    await expect(exchange('x', 'x', { kind: 'unused' }, endPoint)).rejects.toThrow(/downgraded/);
  });

  it.each([
    ['a nonce that is not ours', 'r=otherotherother,s=AAAA,i=4096'],
    ['a nonce it did not add to', undefined],
    ['no salt', 'r=NONCEx,i=4096'],
    ['ten billion iterations', 'r=NONCEx,s=AAAA,i=9999999999'],
    ['two million iterations', 'r=NONCEx,s=AAAA,i=2000000'],
    ['a megabyte of nonce', `r=NONCE${'x'.repeat(1_000_000)},s=AAAA,i=4096`],
  ])('refuses a server that sends %s', async (_, text) => {
    const client = new ScramClient({ kind: 'none' });
    const nonce = client.first().replace(/^.*r=/, '');
    const message = text === undefined ? `r=${nonce},s=AAAA,i=4096` : text.replace('NONCE', nonce);
    await expect(client.final(message, 'x')).rejects.toThrow(ScramError);
  });

  it('refuses a server that cannot prove it knows the verifier', async () => {
    const client = new ScramClient({ kind: 'none' });
    const server = new ScramServer(verifierOf('x'), 'SCRAM-SHA-256', undefined);
    await client.final(server.first(client.first()), 'x');
    expect(() => client.verify(`v=${randomBytes(32).toString('base64')}`)).toThrow(ScramError);
    expect(() => client.verify('e=other-error')).toThrow(ScramError);
  });

  it.each(['n,,n=,r=short', 'x,,n=,r=abcdefghij', 'p=tls-unique,,n=,r=abcdefghij', 'n,,m=ext,n=,r=abcdefghij', ''])(
    'refuses the first message %j',
    (text) => {
      const server = new ScramServer(verifierOf('x'), 'SCRAM-SHA-256', undefined);
      expect(() => server.first(text)).toThrow(ScramError);
    },
  );
});
