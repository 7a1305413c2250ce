import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import ssh2 from 'ssh2';
import type { HostKeys } from './keys.ts';

const patience = 10_000;

/** The software version of an SSH server, from the line it greets with (RFC 4253 section 4.2). */
export function greetingOf(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let heard = '';
    socket.setTimeout(patience, () => socket.destroy(new Error('it does not say anything')));
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      const end = heard.indexOf('\n');
      if (end < 0) return;
      socket.destroy();
      resolve(/^SSH-2\.0-(\S+)/.exec(heard)?.[1] ?? 'unknown');
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('it hangs up at once')));
  });
}

/** Logs in as the gateway will and runs a command there; resolves with what it said, or rejects with why it can't be had. */
export async function tryLogin(
  at: { readonly host: string; readonly port: number; readonly user: string },
  keys: HostKeys,
  command: string,
): Promise<string> {
  const client = new ssh2.Client();
  const privateKey = await readFile(keys.clientKeyFile);
  return new Promise<string>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no answer within ${patience / 1000} s`)), patience);
    client.on('error', reject);
    client.on('close', () => {
      clearTimeout(deadline);
      reject(new Error('it hung up'));
    });
    client.on('ready', () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let said = '';
        channel.on('data', (chunk: Buffer) => {
          said += chunk.toString('utf8');
        });
        channel.stderr.resume();
        channel.on('close', () => resolve(said));
      });
    });
    client.connect({ host: at.host, port: at.port, username: at.user, privateKey, readyTimeout: patience });
  }).finally(() => client.destroy());
}
