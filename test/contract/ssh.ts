/** The contract suite's words for SSH: commands, on a server that says what it was told. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createAnyGateway } from '../harness/any-gateway.ts';
import { createSshStandIn, type SshStandIn } from '../harness/ssh-stand-in.ts';
import type { Adapter, Ask, ContractGateway, ContractTarget, GatewayOptions } from './adapter.ts';
import { field, forms, globalRequest, openSsh } from './ssh-session.ts';

const targetName = 'web';
const secrets = ['ada.lovelace@example.com', 'grace.hopper@example.com'];

export const sshAdapter: Adapter = {
  connector: 'ssh',
  forms,
  verbs: { read: 'ssh:exec', forbidden: 'ssh:dynamic', held: 'ssh:file.write' },
  lacks: { pipelining: 'each channel is answered by itself, in no order' },
  largeBytes: 200_000_000,
  asks: {
    read: (tag) => ({ text: `echo ${tag}` }),
    forbidden: (tag) => ({ text: `eval echo ${tag}` }),
    held: (tag) => ({ text: `echo ${tag} >> effects` }),
    failing: (tag) => ({ text: `ls ./${tag}` }),
    slow: (tag) => ({ text: `sleep 600; echo ${tag}` }),
    large: (tag) => ({ text: `echo ${tag}; head -c 200000000 /dev/zero` }),
    items: (count) => ({ text: `seq ${count}` }),
    oversized: (tag) => ({ text: `echo ${tag} ${'x'.repeat(300 * 1024)}` }),
    labelled: [
      ...ways('as it is', 'cat people'),
      ...ways('in the middle of other text', 'tail -c 40 people'),
      ...ways('among the errors', 'cat people 1>&2'),
      ...ways('piece by piece', "printf 'ada.lovelace'; sleep 0.2; printf '@example.com'; sleep 0.2; echo"),
      ...ways('in an error', 'cat names/*'),
      ...ways('behind much else', 'seq 20000; cat people; seq 20000'),
    ],
    prying: [],
  },
  asExecuted: (texts) => texts[0] ?? '',
  oddities: [
    { name: 'a message of an unknown type', bytes: Buffer.from([200, 1, 2, 3]), after: 'ends' },
    { name: 'a second login', bytes: userauth(), after: 'ends' },
    { name: 'a channel of an unknown type', bytes: channelOpen('tun@openssh.com'), after: 'goes on' },
    { name: 'a channel to a socket of the target', bytes: streamLocal(), after: 'goes on' },
    { name: 'a request to listen at the target', bytes: globalRequest('tcpip-forward', listening()), after: 'goes on' },
    { name: 'a global request of an unknown name', bytes: globalRequest('x@example.com'), after: 'goes on' },
    { name: 'a message that is cut short', bytes: Buffer.from([90, 0, 0]), after: 'ends' },
  ],
  announcements: [
    {
      name: 'a first packet',
      when: 'before login',
      bytes: Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), uint32(0x7fffffff), Buffer.alloc(8)]),
    },
    { name: 'a channel’s type', when: 'in session', bytes: Buffer.concat([Buffer.from([90]), uint32(0x7fffffff)]) },
    {
      name: 'a command',
      when: 'in session',
      bytes: Buffer.concat([Buffer.from([98]), uint32(0), field('exec'), Buffer.from([1]), uint32(0x7fffffff)]),
    },
  ],
  startTarget,
  startGateway,
  open: openSsh,
  knock: async (at, bytes) => {
    const socket = connect({ host: at.host, port: at.port });
    socket.on('error', () => {});
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(parts);
  },
};

function ways(way: string, text: string): { readonly way: string; readonly ask: Ask }[] {
  return forms.map((form) => ({ way: `${way}, ${form}`, ask: { text, form } }));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 4252 section 5. */
function userauth(): Buffer {
  return Buffer.concat([Buffer.from([50]), field('x'), field('ssh-connection'), field('none')]);
}

/** RFC 4254 section 5.1: type, our number, window, most bytes per packet. */
function channelOpen(type: string, rest: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([90]), field(type), uint32(77), uint32(65_536), uint32(32_768), rest]);
}

function streamLocal(): Buffer {
  return channelOpen(
    'direct-streamlocal@openssh.com',
    Buffer.concat([field('/run/docker.sock'), field(''), uint32(0)]),
  );
}

function listening(): Buffer {
  return Buffer.concat([field('0.0.0.0'), uint32(0)]);
}

interface SshTarget extends ContractTarget {
  readonly server: SshStandIn;
}

async function startTarget(): Promise<SshTarget> {
  const server = await createSshStandIn({
    people: secrets.map((secret) => `${secret}\n`).join(''),
    [`names/${secrets[0]}/x`]: '',
  });
  return {
    server,
    address: server,
    credentials: [server.password],
    labelled: secrets,
    executed: async () => server.executed.slice(),
    running: async () => server.running(),
    effects: async (tag) => (await server.lines('effects')).filter((line) => line === tag).length,
    // All is encrypted; but whatever goes there while nothing else was asked for is about the one ask.
    carries: () => true,
    stop: () => server.stop(),
  };
}

async function startGateway(options: GatewayOptions): Promise<ContractGateway> {
  const { upstream, target, policies, dataDir, config } = options;
  const { user, password, hostKey } = (target as SshTarget).server;
  const gateway = await createAnyGateway({
    listen: ['ssh'],
    targets: [
      {
        name: targetName,
        connector: 'ssh',
        address: `${upstream.host}:${upstream.port}`,
        host_keys: [hostKey],
        credential: { username: user, password: 'file:target-password' },
      },
    ],
    files: { 'target-password': password },
    masking: { detect: ['pii.email'] },
    policies,
    dataDir,
    config,
  });
  return { ...gateway, address: gateway.at('ssh'), targetName };
}
