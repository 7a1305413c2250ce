import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSecrets } from '../config/secrets.ts';
import { createUpstreamCredentials } from './upstream-credentials.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-upstream-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const variables: Record<string, string> = { PASSWORD: 'from-env' };
const withPassword = (password?: { kind: 'env'; name: string } | { kind: 'file'; path: string }) =>
  createUpstreamCredentials(
    [{ name: 'shop', credential: { username: 'gw', secrets: password ? { password } : {} } }],
    createSecrets({ variables }),
  );

describe('an upstream credential', () => {
  test('comes from the environment, and does not print', async () => {
    const credential = await withPassword({ kind: 'env', name: 'PASSWORD' }).forTarget('shop');
    expect(credential.username).toBe('gw');
    expect(credential.secrets['password']?.reveal()).toBe('from-env');
    expect(`${inspect(credential)}${JSON.stringify(credential)}`).not.toContain('from-env');
  });

  test('comes from a file as it is now', async () => {
    const path = join(folder, 'password');
    const credentials = withPassword({ kind: 'file', path });
    await writeFile(path, 'first\n');
    expect((await credentials.forTarget('shop')).secrets['password']?.reveal()).toBe('first');
    await writeFile(`${path}.new`, ' second with spaces \r\n');
    await rename(`${path}.new`, path);
    expect((await credentials.forTarget('shop')).secrets['password']?.reveal()).toBe(' second with spaces ');
  });

  test('may have no password', async () => {
    expect(await withPassword().forTarget('shop')).toEqual({ username: 'gw', secrets: {} });
  });

  test('of an unknown target is refused', async () => {
    await expect(withPassword().forTarget('__proto__')).rejects.toMatchObject({ code: 'unknown_target' });
  });

  test.each([
    ['a variable that is gone', { kind: 'env', name: 'GONE' }, 'the environment variable GONE is not set'],
    ['a file that is gone', { kind: 'file', path: '/nonexistent/x' }, '/nonexistent/x does not exist'],
    ['a device', { kind: 'file', path: '/dev/zero' }, '/dev/zero is not a file'],
  ] as const)('that is %s says so to operators only', async (_, password, detail) => {
    const error = await withPassword(password)
      .forTarget('shop')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'upstream_login', source: 'gateway', message: `target shop: ${detail}` });
    expect((error as { publicMessage: string }).publicMessage).toBe('The gateway cannot log in to the target.');
  });

  test.each([
    ['no text', Buffer.from([0xff, 0xfe]), 'is not UTF-8 text'],
    ['NUL in it', Buffer.from('a\0b'), 'contains a NUL byte'],
    ['nothing in it', Buffer.from('\n'), 'is empty'],
    ['too much in it', Buffer.alloc(64 * 1024 + 1, 97), 'is larger than 65536 bytes'],
  ])('file with %s is refused', async (_, bytes, detail) => {
    const path = join(folder, 'bad');
    await writeFile(path, bytes);
    await expect(withPassword({ kind: 'file', path }).forTarget('shop')).rejects.toThrow(detail);
  });
});
