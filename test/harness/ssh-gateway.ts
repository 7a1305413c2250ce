// A real gateway in front of an SSH server, and the real clients of OpenSSH pointed at it.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@sluice/api/client.ts';
import { type AnyGateway, createAnyGateway } from './any-gateway.ts';
import type { TestClaims } from './issuer.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from './recorded-events.ts';
import { type Finished, type ProgramOptions, type RunningProgram, startProgram } from './run-program.ts';
import { createTestSshd, makeKey, type TestSshd } from './sshd.ts';

export const sshTarget = 'web';

export interface SshGatewayOptions {
  readonly policies?: string;
  readonly masking?: Readonly<Record<string, unknown>>;
  readonly config?: string;
  /** The server gives terminals; see `createTestSshd`. */
  readonly terminals?: true;
  /** Instead of the server's own key. */
  readonly hostKeys?: readonly string[];
}

export interface SshGateway {
  readonly gateway: AnyGateway;
  readonly sshd: TestSshd;
  readonly dir: string;
  /** A key with a certificate for whoever has these claims. */
  login(claims: TestClaims): Promise<SshLogin>;
  apiAs(claims: TestClaims): Promise<ApiClient>;
  /** Recordings of all sessions that are over, oldest first. */
  recordings(): Promise<readonly (readonly RecordedEvent[])[]>;
  stop(): Promise<void>;
}

export interface SshLogin {
  readonly credential: string;
  readonly secret: string;
  /** For ssh, scp and sftp alike: without the port. */
  readonly options: readonly string[];
  readonly port: number;
  readonly key: string;
  /** `<target>@<host>`. */
  readonly destination: string;
  /** Runs a command at the target by the real client. */
  ssh(command: readonly string[], options?: ProgramOptions): Promise<Finished>;
  /** With arguments of one's own. */
  startSsh(args: readonly string[], options?: ProgramOptions): RunningProgram;
}

export async function createSshGateway(options: SshGatewayOptions = {}): Promise<SshGateway> {
  const sshd = await createTestSshd(options.terminals ? { terminals: true } : {});
  const dir = await mkdtemp(join(tmpdir(), 'sluice-test-ssh-'));
  await chmod(dir, 0o700);
  const gateway = await createAnyGateway({
    listen: ['ssh'],
    targets: [sshTargetOf(sshd, options.hostKeys)],
    files: { 'target-key': sshd.privateKey },
    ...(options.policies === undefined ? {} : { policies: options.policies }),
    ...(options.masking ? { masking: options.masking } : {}),
    ...(options.config === undefined ? {} : { config: options.config }),
  });
  const { host, port } = gateway.at('ssh');
  let count = 0;
  return {
    gateway,
    sshd,
    dir,
    apiAs: (claims) => gateway.apiAs(claims),
    login: async (claims) => {
      const key = makeKey(dir, `key-${++count}`);
      const api = await gateway.apiAs(claims);
      const issued = await api.issueAccessCredential({
        target: sshTarget,
        public_key: (await readFile(`${key}.pub`, 'utf8')).trim(),
      });
      await writeFile(`${key}-cert.pub`, `${issued.certificate}\n`);
      const known = join(dir, 'known_hosts');
      await writeFile(known, (issued.gateway_keys ?? []).map((line) => `[${host}]:${port} ${line}\n`).join(''));
      const options = [
        ['IdentityFile', key],
        ['IdentitiesOnly', 'yes'],
        ['UserKnownHostsFile', known],
        ['GlobalKnownHostsFile', '/dev/null'],
        ['StrictHostKeyChecking', 'yes'],
        ['BatchMode', 'yes'],
        ['LogLevel', 'INFO'],
      ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
      const destination = `${sshTarget}@${host}`;
      // Nothing of the tester's own settings.
      const all = (args: readonly string[]): string[] => ['-F', 'none', ...options, '-p', String(port), ...args];
      const startSsh = (args: readonly string[], program?: ProgramOptions): RunningProgram =>
        startProgram('/usr/bin/ssh', all(args), program);
      return {
        credential: issued.id,
        secret: issued.secret,
        options: ['-F', 'none', ...options],
        port,
        key,
        destination,
        startSsh,
        ssh: (command, program) => startSsh([destination, ...command], program).ended,
      };
    },
    recordings: async () => {
      const found = [];
      for (const path of await sessionRecordings(gateway.dir)) found.push(await recordedEvents(path));
      return found;
    },
    stop: async () => {
      await gateway.stop();
      await sshd.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function sshTargetOf(sshd: TestSshd, hostKeys: readonly string[] = [sshd.hostKey]): Record<string, unknown> {
  return {
    name: sshTarget,
    connector: 'ssh',
    address: `${sshd.host}:${sshd.port}`,
    host_keys: hostKeys,
    credential: { username: sshd.user, private_key: 'file:target-key' },
  };
}
