/**
 * An SSH server that runs wherever Node does, in place of OpenSSH's: it runs what it is told by `/bin/sh`, gives account
 * of it, and like OpenSSH leaves it running when its client is gone. It has no terminals: who asks for one gets none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownKey } from '@sluice/connectors/ssh/login/keys.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import ssh2, { type Connection, type ServerChannel, type Session } from 'ssh2';

export interface SshStandIn {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly hostKey: string;
  /** Where commands start. */
  readonly dir: string;
  /** Commands it was told to run, in order. */
  readonly executed: readonly string[];
  /** Those that run now. */
  running(): readonly string[];
  /** Lines of a file in `dir`. */
  lines(name: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function createSshStandIn(files: Readonly<Record<string, string>> = {}): Promise<SshStandIn> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-test-stand-in-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = ownKey(new Redacted(pem.toString()));
  const [user, password] = ['tester', 'only-the-gateway-knows-this'];
  const executed: string[] = [];
  const running = new Map<ChildProcess, string>();
  const connections = new Set<Connection>();

  const run = (
    command: string,
    env: Readonly<Record<string, string>>,
    session: Session,
    stream: ServerChannel,
  ): void => {
    executed.push(command);
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: dir,
      env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...env },
      // A group of its own, so that a signal reaches all of it.
      detached: true,
    });
    running.set(child, command);
    session.on('signal', (_accept, _reject, { name }) => signalGroup(child, `SIG${name}` as NodeJS.Signals));
    child.stdin.on('error', () => {});
    stream.on('error', () => {});
    stream.pipe(child.stdin);
    child.stdout.pipe(stream, { end: false });
    child.stderr.pipe(stream.stderr, { end: false });
    child.on('close', (code, signal) => {
      running.delete(child);
      if (signal) stream.exit(signal.slice(3), false, '');
      else stream.exit(code ?? 255);
      stream.end();
    });
  };

  const server = new ssh2.Server({ hostKeys: [key.privateText()] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (context) => {
      const right = context.method === 'password' && context.username === user && context.password === password;
      if (right) context.accept();
      else context.reject(['password']);
    });
    connection.on('session', (accept) => {
      const session = accept();
      const env: Record<string, string> = {};
      session.on('env', (_accept, _reject, { key: name, val }) => {
        env[name] = val;
      });
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('exec', (acceptExec, _reject, { command }) => run(command, env, session, acceptExec()));
      session.on('shell', (acceptShell) => run('exec /bin/sh', env, session, acceptShell()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    user,
    password,
    hostKey: key.publicLine,
    dir,
    executed,
    running: () => [...running.values()],
    lines: async (name) => {
      const text = await readFile(join(dir, name), 'utf8').catch(() => '');
      return text.split('\n').slice(0, -1);
    },
    stop: async () => {
      for (const child of running.keys()) signalGroup(child, 'SIGKILL');
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone already.
  }
}
