import type { IssuedAccessCredential } from '@sluice/api/schema/access-credential.ts';
import ssh2 from 'ssh2';
import type { Stage } from '../start.ts';

export interface CommandAnswer {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

export interface PendingCommand {
  /** Resolves with the first thing said on standard error, or with undefined when it ended without. */
  readonly notice: Promise<string | undefined>;
  readonly answer: Promise<CommandAnswer>;
}

/** What the agent claims about its reasoning: variables of these names are taken by the gateway and go no further. */
export type Claims = Readonly<Record<'SLUICE_RUN' | 'SLUICE_STEP' | 'SLUICE_INTENT', string>>;

/** An SSH client as any program could have it. It logs in at the gateway, and only if that shows the key it should have. */
export class SshClient {
  readonly #client: ssh2.Client;
  readonly #heard: string[] = [];
  #closed: Promise<void> | undefined;

  private constructor(client: ssh2.Client) {
    this.#client = client;
  }

  static async connect(stage: Stage, credential: IssuedAccessCredential): Promise<SshClient> {
    const client = new ssh2.Client();
    const known = new Set((credential.gateway_keys ?? []).map((line) => line.split(' ')[1] ?? ''));
    await new Promise<void>((resolve, reject) => {
      client.once('ready', () => resolve());
      client.once('error', reject);
      client.connect({
        ...stage.listeners.ssh,
        username: `${credential.id}+${credential.target}`,
        password: credential.secret,
        hostVerifier: (key: Buffer) => known.has(key.toString('base64')),
      });
    });
    // Later failures are those of the command that was at work.
    client.on('error', () => undefined);
    return new SshClient(client);
  }

  /** Everything it was ever given, as text. */
  heard(): string {
    return this.#heard.join('\n');
  }

  run(command: string, claims: Claims): PendingCommand {
    let say: (words: string | undefined) => void = () => undefined;
    const notice = new Promise<string | undefined>((resolve) => {
      say = resolve;
    });
    const answer = new Promise<CommandAnswer>((resolve, reject) => {
      this.#client.exec(command, { env: { ...claims } }, (error, channel) => {
        if (error) return reject(error);
        let out = '';
        let err = '';
        let code: number | undefined;
        channel.setEncoding('utf8').on('data', (text: string) => {
          out += text;
        });
        channel.stderr.setEncoding('utf8').on('data', (text: string) => {
          err += text;
          if (err.includes('\n')) say(err.trimEnd());
        });
        channel.on('exit', (status: number | null) => {
          code = status ?? undefined;
        });
        channel.on('close', () => {
          this.#heard.push(out, err);
          resolve({ code, out, err });
        });
      });
    }).finally(() => say(undefined));
    // A scene that breaks off never looks at the answer.
    answer.catch(() => undefined);
    return { notice, answer };
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#client.once('close', () => resolve());
      this.#client.end();
    });
    return this.#closed;
  }
}
