/** File transfer with packets that no well-behaved client sends, through a real gateway, to a real OpenSSH server. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Attributes, Fields, FieldsWriter } from '@sluice/connectors/ssh/sftp/fields.ts';
import { code, Framer, flag, type } from '@sluice/connectors/ssh/sftp/protocol.ts';
import { Client, type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway, sshTarget } from '../harness/ssh-gateway.ts';
import { findSshd } from '../harness/sshd.ts';

const sshd = findSshd();

let folder: string;
let gateway: SshGateway;
let client: Client;

beforeAll(async () => {
  if (!sshd.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-packets-'));
  gateway = await createSshGateway({ policies: policies() });
  const login = await gateway.login({ sub: 'agent', groups: ['agents'] });
  const { host, port } = gateway.gateway.at('ssh');
  client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ host, port, username: sshTarget, password: `${login.credential}:${login.secret}` });
  });
});

afterAll(async () => {
  client?.end();
  await gateway?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function policies(more = ''): string {
  return `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("open") permit (principal, action in [Action::"read", Action::"write"], resource in Path::"web${folder}/open");
${more}`;
}

const at = (name: string) => join(folder, name);
const longToken = `ghp_${'a1B2c3D4e5'.repeat(4)}`.slice(0, 40);

beforeEach(async () => {
  if (!sshd.there) return;
  await rm(at('open'), { recursive: true, force: true });
  await mkdir(at('open'));
  await writeFile(at('secret'), 'secret');
  await writeFile(at('open/a'), 'content of a');
  await handToServer(folder);
});

interface Reply {
  readonly kind: number;
  readonly fields: Fields;
}

/** A client that sends what it is told to. */
class Packets {
  readonly channel: ClientChannel;
  readonly #framer = new Framer('client');
  readonly #replies: Buffer[] = [];
  #waiting: (() => void) | undefined;
  closed = false;
  #id = 0;

  constructor(channel: ClientChannel) {
    this.channel = channel;
    channel.stderr.resume();
    channel.on('data', (bytes: Buffer) => {
      this.#replies.push(...this.#framer.push(bytes));
      this.#waiting?.();
    });
    channel.on('close', () => {
      this.closed = true;
      this.#waiting?.();
    });
  }

  async next(): Promise<Reply | undefined> {
    while (this.#replies.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    const reply = this.#replies.shift();
    if (!reply) return undefined;
    const fields = new Fields(reply, 'upstream');
    return { kind: fields.uint8(), fields };
  }

  async ask(kind: number, fill: (fields: FieldsWriter) => FieldsWriter): Promise<Reply | undefined> {
    const id = this.#id++;
    this.channel.write(fill(new FieldsWriter().uint8(kind).uint32(id)).packet());
    const reply = await this.next();
    if (reply) expect(reply.fields.uint32()).toBe(id);
    return reply;
  }

  async status(kind: number, fill: (fields: FieldsWriter) => FieldsWriter): Promise<number> {
    const reply = await this.ask(kind, fill);
    expect(reply?.kind).toBe(type.status);
    return reply?.fields.uint32() ?? -1;
  }

  async open(path: string, flags: number, attributes: Attributes = {}): Promise<Buffer> {
    const reply = await this.ask(type.open, (fields) => fields.text(path).uint32(flags).attributes(attributes));
    expect(reply?.kind).toBe(type.handle);
    return reply?.fields.bytes(256) ?? Buffer.alloc(0);
  }

  read(handle: Buffer, offset: bigint, length: number): Promise<Reply | undefined> {
    return this.ask(type.read, (fields) => fields.bytes(handle).uint64(offset).uint32(length));
  }
}

async function begin(init = true): Promise<Packets> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.subsys('sftp', (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const packets = new Packets(channel);
  if (init) {
    channel.write(new FieldsWriter().uint8(type.init).uint32(3).packet());
    expect((await packets.next())?.kind).toBe(type.version);
  }
  return packets;
}

describe.skipIf(!sshd.there)(needing(sshd, 'a client of file transfer'), () => {
  test('is offered only extensions that are decided upon', async () => {
    const channel = await begin(false);
    channel.channel.write(new FieldsWriter().uint8(type.init).uint32(3).packet());
    const version = await channel.next();
    expect(version?.fields.uint32()).toBe(3);
    const offered: string[] = [];
    while ((version?.fields.left ?? 0) > 0) {
      offered.push(version?.fields.text() ?? '');
      version?.fields.text();
    }
    expect(offered.sort()).toEqual([
      'fstatvfs@openssh.com',
      'fsync@openssh.com',
      'hardlink@openssh.com',
      'limits@openssh.com',
      'lsetstat@openssh.com',
      'posix-rename@openssh.com',
      'statvfs@openssh.com',
    ]);
    channel.channel.end();
  });

  test.each([
    ['copy-data', 'copy-data'],
    ['expand-path@openssh.com', '~root'],
    ['home-directory', 'root'],
    ['users-groups-by-id@openssh.com', '\0\0\0\0'],
    ['vendor-id', 'x'],
    ['check-file-name', 'x'],
  ])('is refused the extension %s', async (name, argument) => {
    const packets = await begin();
    expect(await packets.status(type.extended, (fields) => fields.text(name).text(argument))).toBe(code.unsupported);
    packets.channel.end();
  });

  test.each([21, 22, 30, 99, type.status, type.data, type.extendedReply, 255])('is refused type %d', async (kind) => {
    const packets = await begin();
    expect(await packets.status(kind, (fields) => fields.text(at('open/a')))).toBe(code.unsupported);
    packets.channel.end();
  });

  test.each([
    ['a handle that it made up', '0', 'made up'],
    ['the handle of somebody else', '0', '1'],
  ])('reads nothing by %s', async (_what, _own, handle) => {
    const other = await begin();
    await other.open(at('open/a'), flag.read);
    const packets = await begin();
    for (const kind of [type.close, type.fstat, type.readdir]) {
      expect(await packets.status(kind, (fields) => fields.text(handle))).toBe(code.failure);
    }
    expect(await packets.status(type.read, (f) => f.text(handle).uint64(0n).uint32(9))).toBe(code.failure);
    expect(await packets.status(type.write, (f) => f.text(handle).uint64(0n).text('x'))).toBe(code.failure);
    other.channel.end();
    packets.channel.end();
  });

  test('does with a handle only what it was opened for', async () => {
    const packets = await begin();
    const read = await packets.open(at('open/a'), flag.read);
    expect(await packets.status(type.write, (f) => f.bytes(read).uint64(0n).text('x'))).toBe(code.permissionDenied);
    expect(await packets.status(type.extended, (f) => f.text('fsync@openssh.com').bytes(read))).toBe(
      code.permissionDenied,
    );
    const write = await packets.open(at('open/b'), flag.write | flag.create);
    expect((await packets.read(write, 0n, 9))?.fields.uint32()).toBe(code.permissionDenied);
    expect(await packets.status(type.readdir, (f) => f.bytes(write))).toBe(code.permissionDenied);
    expect(await packets.status(type.close, (f) => f.bytes(read))).toBe(code.ok);
    expect(await packets.status(type.read, (f) => f.bytes(read).uint64(0n).uint32(9))).toBe(code.failure);
    expect(await readFile(at('open/a'), 'utf8')).toBe('content of a');
    packets.channel.end();
  });

  test.each([
    ['nothing', 0],
    ['create alone', flag.create],
    ['read and truncate', flag.read | flag.truncate],
    ['read and append', flag.read | flag.append],
    ['flags of later versions', flag.read | 0x40],
  ])('opens no file for %s', async (_what, flags) => {
    const packets = await begin();
    const sent = packets.status(type.open, (f) => f.text(at('open/a')).uint32(flags).attributes({}));
    expect(await sent).toBe(code.unsupported);
    expect(await readFile(at('open/a'), 'utf8')).toBe('content of a');
    packets.channel.end();
  });

  test.each([
    ['an owner', { owner: { uid: 0, gid: 0 } }],
    ['a size', { size: 1n }],
    ['times', { times: { accessed: 1, modified: 1 } }],
  ])('creates no file with %s beside its mode', async (_what, attributes: Attributes) => {
    const packets = await begin();
    const flags = flag.write | flag.create;
    expect(await packets.status(type.open, (f) => f.text(at('open/n')).uint32(flags).attributes(attributes))).toBe(
      code.unsupported,
    );
    packets.channel.end();
  });

  test('opens a bounded number of files', async () => {
    const packets = await begin();
    for (let count = 0; count < 100; count++) await packets.open(at('open/a'), flag.read);
    expect(await packets.status(type.open, (f) => f.text(at('open/a')).uint32(flag.read).attributes({}))).toBe(
      code.failure,
    );
    packets.channel.end();
  });

  test.each([
    ['an empty packet', Buffer.from([0, 0, 0, 0])],
    ['a packet of four gigabytes', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a packet that is too long', Buffer.from([0, 4, 0, 1])],
    ['a packet that is cut short', new FieldsWriter().uint8(type.stat).uint32(1).uint32(900).packet()],
    ['something behind a packet', new FieldsWriter().uint8(type.stat).uint32(1).text('/').uint32(0).packet()],
    ['a path with a zero in it', new FieldsWriter().uint8(type.stat).uint32(1).text('/etc\0/x').packet()],
    [
      'a path that is not UTF-8',
      new FieldsWriter()
        .uint8(type.stat)
        .uint32(1)
        .bytes(Buffer.from([0x2f, 0xff]))
        .packet(),
    ],
    ['a path of 5,000 bytes', new FieldsWriter().uint8(type.stat).uint32(1).text('/a'.repeat(2_500)).packet()],
    ['a second beginning', new FieldsWriter().uint8(type.init).uint32(3).packet()],
    [
      'attributes that nobody knows',
      new FieldsWriter().uint8(type.setstat).uint32(1).text('/').uint32(0x80000000).uint32(0).packet(),
    ],
  ])('ends with %s', async (_what, bytes) => {
    const packets = await begin();
    packets.channel.write(bytes);
    expect(await packets.next()).toBeUndefined();
  });

  test('ends when it asks before it begins', async () => {
    const packets = await begin(false);
    packets.channel.write(new FieldsWriter().uint8(type.stat).uint32(1).text('/').packet());
    expect(await packets.next()).toBeUndefined();
  });

  test.each([1, 3, 7, 16, 100])('gets no part of a hidden value, %d bytes at a time', async (size) => {
    const before = `${'lorem ipsum '.repeat(30)}\n`;
    const value = 'jane.doe@example.com';
    await writeFile(at('open/mail'), `${before}write to ${value} or ${longToken}\n`);
    await handToServer(folder);
    const packets = await begin();
    const handle = await packets.open(at('open/mail'), flag.read);
    let got = '';
    const start = before.length + 'write to '.length;
    for (let offset = start; offset < start + value.length + 60; offset += size) {
      const reply = await packets.read(handle, BigInt(offset), size);
      if (reply?.kind === type.data) got += reply.fields.bytes(1000).toString();
    }
    expect(got).toBe('');
    packets.channel.end();
  });

  test('gets no part of a hidden value from behind, nor across pieces that were asked for together', async () => {
    const text = `${'x'.repeat(9_995)} jane.doe@example.com ${'y'.repeat(9_000)}`;
    await writeFile(at('open/mail'), text);
    await handToServer(folder);
    const packets = await begin();
    const handle = await packets.open(at('open/mail'), flag.read);
    for (let id = 100; id < 104; id++) {
      packets.channel.write(
        new FieldsWriter()
          .uint8(type.read)
          .uint32(id)
          .bytes(handle)
          .uint64(BigInt((103 - id) * 5_000))
          .uint32(5_000)
          .packet(),
      );
    }
    let got = '';
    for (let id = 100; id < 104; id++) {
      const reply = await packets.next();
      reply?.fields.uint32();
      if (reply?.kind === type.data) got += reply.fields.bytes(10_000).toString();
    }
    expect(got).not.toMatch(/jane|doe|example/);
    packets.channel.end();
  });

  test('loses what is open when policy changes, while it reads and while it writes', async () => {
    await writeFile(at('open/long'), 'z'.repeat(100_000));
    await handToServer(folder);
    const packets = await begin();
    const read = await packets.open(at('open/long'), flag.read);
    const write = await packets.open(at('open/w'), flag.write | flag.create);
    expect((await packets.read(read, 0n, 1000))?.kind).toBe(type.data);
    await gateway.gateway.setPolicies(
      policies('@id("closed") forbid (principal, action in [Action::"read", Action::"write"], resource);'),
    );
    try {
      expect(await packets.status(type.write, (f) => f.bytes(write).uint64(0n).text('x'))).toBe(code.permissionDenied);
      // What was open is asked about again every tenth of a second.
      let reply = await packets.read(read, 0n, 1000);
      while (reply?.kind === type.data) reply = await packets.read(read, 0n, 1000);
      expect(reply?.fields.uint32()).toBe(code.permissionDenied);
    } finally {
      await gateway.gateway.setPolicies(policies());
    }
    packets.channel.end();
  });

  test('writes no masked value back', async () => {
    const packets = await begin();
    const write = await packets.open(at('open/w'), flag.write | flag.create);
    expect(await packets.status(type.write, (f) => f.bytes(write).uint64(0n).text('mail: #*'))).toBe(code.ok);
    expect(await packets.status(type.write, (f) => f.bytes(write).uint64(8n).text('**# end'))).toBe(
      code.permissionDenied,
    );
    packets.channel.end();
  });
});
