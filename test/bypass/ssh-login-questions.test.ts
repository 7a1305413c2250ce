// Targets that ask while the gateway logs in: its password goes to the one question that looks like it, after the host
// has shown its key, and to nothing else.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ownKey } from '@sluice/connectors/ssh/login/keys.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import ssh2, { type Connection, type KeyboardAuthContext, type Prompt, type Server } from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSsh } from '../contract/ssh-session.ts';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';

const password = 'only-the-gateway-knows-this';

type Questions = readonly (string | Prompt)[];

interface AskingHost {
  readonly line: string;
  readonly port: number;
  /** What it was answered, in order. */
  readonly answers: string[];
  readonly methods: string[];
  stop(): void;
}

const hidden: Questions = ['Password: '];
/** What each host offers, and the rounds of questions that it asks. */
const hosts = {
  once: [['keyboard-interactive'], hidden],
  'once-and-nothing': [['keyboard-interactive'], hidden, []],
  'password-too': [['password'], hidden],
  shown: [['keyboard-interactive'], [{ prompt: 'Name: ', echo: true }]],
  two: [['keyboard-interactive'], ['Password: ', 'One-time code: ']],
  'and-a-code': [['keyboard-interactive'], hidden, ['One-time code: ']],
} as const satisfies Record<string, readonly [readonly Method[], ...Questions[]]>;

type Method = 'password' | 'keyboard-interactive';
type HostName = keyof typeof hosts;

const running = new Map<string, AskingHost>();
let gateway: AnyGateway;

beforeAll(async () => {
  for (const [name, [offers, ...rounds]] of Object.entries(hosts))
    running.set(name, await hostThatAsks(offers, rounds));
  gateway = await createAnyGateway({
    listen: ['ssh'],
    files: { password },
    targets: [...running].map(([name, { port, line }]) => ({
      name,
      connector: 'ssh',
      address: `127.0.0.1:${port}`,
      host_keys: [line],
      credential: { username: 'tester', password: 'file:password' },
    })),
  });
}, 60_000);

afterAll(async () => {
  await gateway?.stop();
  for (const host of running.values()) host.stop();
});

async function hostThatAsks(offers: readonly Method[], rounds: readonly Questions[]): Promise<AskingHost> {
  const key = newKey();
  const answers: string[] = [];
  const methods: string[] = [];
  const connections = new Set<Connection>();
  const server: Server = new ssh2.Server({ hostKeys: [key.privateText()] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      methods.push(context.method);
      if (context.method === 'keyboard-interactive' && offers.includes(context.method)) ask(context, rounds, answers);
      else if (context.method === 'password' && offers.includes('password')) context.accept();
      else context.reject([...offers]);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    line: key.publicLine,
    port: (server.address() as AddressInfo).port,
    answers,
    methods,
    stop: () => {
      for (const connection of connections) connection.end();
      server.close();
    },
  };
}

async function open(name: HostName): Promise<AskingHost & { readonly words: string | undefined }> {
  const host = running.get(name);
  if (!host) throw new Error(name);
  const proof = { kind: 'token', token: await gateway.token({ sub: 'ada' }) } as const;
  const opened = await openSsh(gateway.at('ssh'), proof, name);
  if (opened.open) await opened.session.close();
  return { ...host, words: opened.open ? undefined : opened.words.message };
}

/** Lets in whoever answered each question with the password alone. */
function ask(context: KeyboardAuthContext, rounds: readonly Questions[], told: string[]): void {
  const [questions, ...others] = rounds;
  if (questions === undefined) {
    if (told.every((answer) => answer === password)) context.accept();
    else context.reject(['keyboard-interactive']);
    return;
  }
  const prompts = questions.map((each) => (typeof each === 'string' ? { prompt: each, echo: false } : each));
  context.prompt(prompts, '', '', ((answers: readonly string[]) => {
    told.push(...answers);
    ask(context, others, told);
  }) as never);
}

function newKey() {
  const { privateKey } = generateKeyPairSync('ed25519');
  return ownKey(new Redacted(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()));
}

test.each(['once', 'once-and-nothing'] as const)(
  'a host that asks one hidden question (%s) gets the password',
  async (name) => {
    const { words, answers } = await open(name);
    expect(words).toBeUndefined();
    expect(answers).toEqual([password]);
  },
);

test('a host that takes passwords is answered no questions', async () => {
  const { words, methods } = await open('password-too');
  expect(words).toBeUndefined();
  expect(methods).toEqual(['password']);
});

test.each([
  ['one that would show the answer', 'shown', ['']],
  ['more than one', 'two', ['', '']],
  ['one behind the one for the password', 'and-a-code', [password, '']],
] as const)('a host that asks other questions (%s) is not told the password there', async (_, name, told) => {
  const { words, answers } = await open(name);
  expect(words).toMatch(/refused the gateway's credential/);
  expect(answers).toEqual(told);
  expect(words).not.toContain(password);
});
