// Ways to get something done over SSH beside the decision about it: each is refused and written down, and does nothing.
import { Buffer } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { string, uint32 } from '@sluice/connectors/ssh/login/blob.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ContractGateway, ContractTarget } from '../contract/adapter.ts';
import { sshAdapter } from '../contract/ssh.ts';
import { RawSsh, said, userauth } from '../harness/raw-ssh.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const policies = `
@id("all") permit (principal, action, resource)
unless { action == Action::"reveal" || action == Action::"ssh:shell" || action == Action::"ssh:forward" };
@id("no-rm") forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
`;

let target: ContractTarget;
let gateway: ContractGateway;
let dir: string;
let count = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-bypass-ssh-'));
  target = await sshAdapter.startTarget();
  const options = { upstream: target.address, target, policies, dataDir: dir };
  gateway = await sshAdapter.startGateway({ ...options, config: '"limits": {"statement_bytes": "16KiB"}' });
});

afterAll(async () => {
  await gateway?.stop();
  await target?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Somebody who is logged in, with a channel on which nothing has started. */
async function inside(): Promise<{ raw: RawSsh; channel: number; recorded(): Promise<readonly RecordedEvent[]> }> {
  const sub = `person-${++count}`;
  const raw = await RawSsh.open(gateway.address);
  expect(await raw.password('web', await gateway.token({ sub }))).toMatchObject({ type: said.success });
  const channel = (await raw.channel()) ?? -1;
  const recorded = async (): Promise<readonly RecordedEvent[]> => {
    raw.end();
    for (;;) {
      for (const path of await sessionRecordings(dir)) {
        const events = await recordedEvents(path).catch(() => []);
        if (JSON.stringify(events[0] ?? {}).includes(`#${sub}"`) && events.at(-1)?.['type'] === 'seal') return events;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { raw, channel, recorded };
}

function refused(events: readonly RecordedEvent[]): readonly unknown[] {
  return events.filter(({ effect }) => effect === 'deny').map(({ name }) => name);
}

function exec(text: string | Buffer): Buffer {
  return string(text);
}

describe('over SSH', () => {
  test.each([
    ['LD_PRELOAD', '/tmp/x.so'],
    ['PATH', '/nowhere/bin'],
    ['BASH_ENV', '/tmp/x'],
    ['LC_ALL', '() { :; }; rm x'],
    ['SSH_AUTH_SOCK', '/tmp/x'],
  ])('the variable %s=%s does not reach the target', async (name, value) => {
    const { raw, channel, recorded } = await inside();
    expect(await raw.request(channel, 'env', string(name), string(value))).toBe(false);
    expect(await raw.request(channel, 'exec', exec(`printenv ${name} ${count}`))).toBe(true);
    await raw.until(96, 97);
    const events = await recorded();
    expect(refused(events)).toEqual(['env']);
    expect(JSON.stringify(events.slice(1))).not.toContain(value);
  });

  test.each([
    ['x11-req', [Buffer.from([0]), string('MIT-MAGIC-COOKIE-1'), string('00'), uint32(0)]],
    ['auth-agent-req@openssh.com', []],
    ['xon-xoff', [Buffer.from([1])]],
    ['break', [uint32(500)]],
    ['exec2', [string('ls')]],
    ['subsystem', [string('exec')]],
    ['subsystem', [string('netconf')]],
    ['subsystem', [string('sftp\0')]],
    ['signal', [string('KILL')]],
    ['pty-req', [string('x;rm'), uint32(80), uint32(24), uint32(0), uint32(0), string(Buffer.from([0]))]],
    ['pty-req', [string('xterm'), uint32(1e9), uint32(24), uint32(0), uint32(0), string(Buffer.from([0]))]],
  ])('the request %s is refused and written down', async (name, fields) => {
    const { raw, channel, recorded } = await inside();
    const before = (await target.executed()).length;
    expect(await raw.request(channel, name, ...fields)).toBe(false);
    expect(refused(await recorded()).length).toBe(1);
    expect((await target.executed()).length).toBe(before);
  });

  test.each([
    ['a second command', 'exec', exec('echo second')],
    ['a shell', 'shell', Buffer.alloc(0)],
    ['a subsystem', 'subsystem', string('sftp')],
    ['a variable', 'env', Buffer.concat([string('LANG'), string('C')])],
    ['a terminal', 'pty-req', Buffer.concat([string('xterm'), Buffer.alloc(16), string(Buffer.from([0]))])],
  ])('%s behind a command on its channel is refused', async (_, name, fields) => {
    const { raw, channel, recorded } = await inside();
    const first = `sleep 5; echo first ${count}`;
    expect(await raw.request(channel, 'exec', exec(first))).toBe(true);
    expect(await raw.request(channel, name, fields)).toBe(false);
    const events = await recorded();
    expect(refused(events)).toEqual(['channel request']);
    expect((await target.executed()).filter((text) => text.includes('second'))).toEqual([]);
  });

  test.each([
    ['no UTF-8', Buffer.from([0x6c, 0x73, 0x20, 0xff, 0xfe])],
    ['half a character', Buffer.from([0x6c, 0x73, 0x20, 0xe2, 0x82])],
    ['a NUL', Buffer.from('echo a\0rm b')],
    ['nothing', Buffer.alloc(0)],
    ['more than the limit', Buffer.from(`echo ${'x'.repeat(17 * 1024)}`)],
    ['what policy forbids, quoted', Buffer.from('"r"m -rf x')],
    ['what policy forbids, behind a pipe', Buffer.from('echo x | xargs rm')],
  ])('a command that is %s does not run', async (_, text) => {
    const { raw, channel, recorded } = await inside();
    const before = (await target.executed()).length;
    if (await raw.request(channel, 'exec', exec(text))) await raw.until(97);
    expect(refused(await recorded()).length).toBe(1);
    expect((await target.executed()).length).toBe(before);
  });

  test('a shell without a terminal is a shell', async () => {
    const { raw, channel, recorded } = await inside();
    const before = (await target.executed()).length;
    expect(await raw.request(channel, 'shell')).toBe(true);
    raw.data(channel, Buffer.from('rm -rf x\n'));
    await raw.until(97);
    expect(refused(await recorded())).toEqual(['shell']);
    expect((await target.executed()).length).toBe(before);
  });

  test.each(['x11', 'auth-agent@openssh.com', 'forwarded-tcpip', 'tun@openssh.com', 'SESSION', ''])(
    'a channel of the type %j is not opened',
    async (type) => {
      const { raw, recorded } = await inside();
      const address = Buffer.concat([string('127.0.0.1'), uint32(22), string('127.0.0.1'), uint32(1)]);
      expect(await raw.channel(type, 7, address)).toBeUndefined();
      expect(refused(await recorded())).toEqual(['channel']);
    },
  );

  test.each([
    ['127.0.0.1', 22, 'direct-tcpip'],
    ['169.254.169.254', 80, 'direct-tcpip'],
    ['host name', 22, 'direct-tcpip'],
    ['localhost', 0, 'direct-tcpip'],
  ])('a connection through the target to %s:%i is refused where no policy permits it', async (host, port, name) => {
    const { raw, recorded } = await inside();
    const address = Buffer.concat([string(host), uint32(port), string('127.0.0.1'), uint32(1)]);
    expect(await raw.channel('direct-tcpip', 7, address)).toBeUndefined();
    expect(refused(await recorded())).toEqual([name]);
  });

  test('there are no more channels than some', async () => {
    const { raw, recorded } = await inside();
    const opened = [];
    for (let mine = 1; mine < 40; mine++) opened.push(await raw.channel('session', mine));
    expect(opened.filter((number) => number !== undefined).length).toBe(31);
    expect(refused(await recorded())).toEqual(Array(8).fill('channel'));
  });

  test('a second login, as somebody else, ends the session', async () => {
    const { raw, recorded } = await inside();
    raw.send(userauth('other', 'password', Buffer.from([0]), string(await gateway.token({ sub: 'grace' }))));
    expect((await raw.until(said.disconnect, said.success, said.failure))?.type).toBe(said.disconnect);
    expect((await recorded()).at(-2)).toMatchObject({ type: 'end', reason: 'protocol_error' });
  });

  test('more data than the window allows ends the session', async () => {
    const { raw, channel, recorded } = await inside();
    expect(await raw.request(channel, 'exec', exec(`sleep 5; echo ${count}`))).toBe(true);
    for (let sent = 0; sent < 200; sent++) raw.data(channel, Buffer.alloc(32_000));
    expect((await raw.until(said.disconnect))?.type).toBe(said.disconnect);
    expect((await recorded()).at(-2)).toMatchObject({ type: 'end', reason: 'protocol_error' });
  });

  test('whoever asks for what is not taken, over and over, is put out', async () => {
    const { raw, recorded } = await inside();
    for (let sent = 0; sent < 250; sent++) raw.send(Buffer.from([80]), string(`x${sent}@x`), Buffer.from([0]));
    expect((await raw.until(said.disconnect))?.type).toBe(said.disconnect);
    expect(refused(await recorded()).length).toBeLessThan(210);
  });
});
