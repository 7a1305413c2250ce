import { spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { listenOnLoopback } from '../loopback.ts';
import { type Premises, pathOf, type Reachable } from './premises.ts';

/** The only account that the stand-in knows. */
const user = 'build';

/**
 * Stands in where no OpenSSH server can be had: logs the gateway's key in and runs commands and shells in the host's
 * folder, as the host's account. It has no terminals, no file transfer and no forwarding, and refuses to be asked.
 */
export async function startStandIn(premises: Premises): Promise<Reachable> {
  const known = ssh2.utils.parseKey(premises.keys.clientPublicKey);
  if (known instanceof Error) throw known;
  const hostKey = await readFile(premises.keys.hostKeyFile);
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    // A client that breaks off is gone, and that is all there is to it.
    client.on('error', () => client.end());
    client.on('authentication', (context) =>
      mayEnter(context, known) ? context.accept() : context.reject(['publickey']),
    );
    client.on('session', (accept) => converse(accept(), premises));
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    user,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.end();
      }),
  };
}

/** RFC 4252 section 7: the key is offered first, and then proven by a signature over the session. */
function mayEnter(context: ssh2.AuthContext, known: ssh2.ParsedKey): boolean {
  if (context.method !== 'publickey' || context.username !== user) return false;
  const offered = context.key.data;
  const expected = known.getPublicSSH();
  if (context.key.algo !== known.type || offered.length !== expected.length) return false;
  if (!timingSafeEqual(offered, expected)) return false;
  if (!context.signature || !context.blob) return true;
  return known.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function converse(session: ssh2.Session, premises: Premises): void {
  session.on('exec', (accept, _reject, { command }) => perform(accept(), premises, ['-c', command]));
  session.on('shell', (accept) => perform(accept(), premises, []));
}

function perform(channel: ssh2.ServerChannel, { folder, account }: Premises, args: readonly string[]): void {
  const child = spawn('/bin/sh', args, {
    ...account.ids,
    cwd: folder,
    env: { HOME: folder, USER: account.name, PATH: pathOf(folder) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  channel.on('error', () => child.kill('SIGHUP'));
  channel.on('close', () => child.kill('SIGHUP'));
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('error', (error) => {
    channel.stderr.write(`build-host: ${error.message}\n`);
    channel.exit(127);
    channel.end();
  });
  child.on('close', (code, signal) => {
    if (signal) channel.exit(signal.replace(/^SIG/, ''), false, '');
    else channel.exit(code ?? 1);
    channel.end();
  });
}
