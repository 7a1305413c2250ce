import { readFileSync } from 'node:fs';
import { ApiClient } from '@sluice/api/client.ts';
import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import type { Env } from './env.ts';
import type { Exit } from './exit-code.ts';
import { Output, type Streams } from './terminal/output.ts';

export const defaultApi = 'http://127.0.0.1:7480';

/** What every command may use. */
export interface Context {
  readonly output: Output;
  /** A client with the caller's token. */
  client(): ApiClient;
  /** Where the gateway's API is: a URL. */
  api(): string;
  /** Aborted by the first SIGINT or SIGTERM. */
  stopSignal(): AbortSignal;
}

/** A command's work; its exit code when that is not 0. */
export type Work<Arguments extends unknown[]> = (context: Context, ...rest: Arguments) => Promise<Exit | undefined>;

interface GlobalOptions {
  readonly json?: boolean;
  readonly api?: string;
  readonly tokenFile?: string;
}

/** Makes commander actions out of work, and keeps how the last one ended. */
export class Runner {
  readonly #streams: Streams;
  readonly #env: Env;
  readonly #stopSignal: () => AbortSignal;
  exit: Exit = 'ok';

  constructor(streams: Streams, env: Env, stopSignal: () => AbortSignal) {
    this.#streams = streams;
    this.#env = env;
    this.#stopSignal = stopSignal;
  }

  /** `work` gets the command's arguments and, last, its own options. */
  action<Options extends object>(work: Work<[string[], Options]>): (...all: unknown[]) => Promise<void> {
    return async (...all) => {
      const command = all[all.length - 1] as Command;
      const args = all.slice(0, -2).filter((one): one is string => typeof one === 'string');
      const options = command.optsWithGlobals<GlobalOptions>();
      this.exit = (await work(this.#context(options), args, command.opts<Options>())) ?? 'ok';
    };
  }

  #context(options: GlobalOptions): Context {
    const api = (): string => options.api ?? this.#env.api ?? defaultApi;
    return {
      api,
      output: new Output(this.#streams, { json: options.json === true, noColor: this.#env.noColor }),
      client: () => {
        const token = tokenOf(options, this.#env);
        if (token === undefined) {
          throw new CliError('no_token', 'No token to authenticate with.', {
            hint: 'Set SLUICE_TOKEN, or give a file with --token-file.',
          });
        }
        return new ApiClient({ base: api(), token });
      },
      stopSignal: this.#stopSignal,
    };
  }
}

function tokenOf(options: GlobalOptions, env: Env): string | undefined {
  const { tokenFile } = options;
  const text = tokenFile === undefined ? env.token : readToken(tokenFile);
  const token = text?.trim();
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  const where = tokenFile === undefined ? 'SLUICE_TOKEN' : `The token file ${tokenFile}`;
  throw new CliError('bad_token', `${where} does not hold one token.`, {
    hint: 'It holds the token and nothing else.',
  });
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (cause as Error).message;
    throw new CliError('bad_token', `The token file ${path} cannot be read: ${why}.`, { cause });
  }
}
