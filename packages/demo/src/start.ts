import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { lockDirectory } from '@sluice/server/store/directory-lock.ts';
import { type Certificates, keptCertificates } from './certificates.ts';
import { writeConfiguration } from './configuration.ts';
import { type RunningCrm, startCrm } from './crm/crm.ts';
import { type RunningDatabase, startDatabase } from './database/database.ts';
import { type Listeners, startGatewayOn } from './gateway.ts';
import { type RunningHost, startHost } from './host/host.ts';
import { type RoleName, roleNames } from './identity/cast.ts';
import { startIdentityProvider } from './identity/identity-provider.ts';
import { type Layout, layout } from './layout.ts';
import { checkPorts, type Ports } from './ports.ts';
import { type RunningRunbooks, startRunbooks } from './runbooks/runbooks.ts';
import { type Shopfront, shopfront } from './seed/shopfront.ts';

export interface StartOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  /** Gives up between two steps, and takes back what was started. */
  readonly signal?: AbortSignal;
  /** Called with one line of progress. */
  readonly tell: (line: string) => void;
}

/** Everything the demo consists of, running. */
export interface Stage {
  readonly at: Layout;
  readonly listeners: Listeners;
  /** Base URL of the gateway's API. */
  readonly api: string;
  readonly tokens: Readonly<Record<RoleName, string>>;
  readonly certificates: Certificates;
  readonly database: RunningDatabase;
  readonly host: RunningHost;
  readonly crm: RunningCrm;
  readonly runbooks: RunningRunbooks;
  /** Whom and what the company's systems know. */
  readonly shopfront: Shopfront;
  /** Stops everything in the opposite order of its start; safe to call twice. Rejects when a part refused to stop. */
  stop(): Promise<void>;
  /** Removes what the targets keep, wherever it lies; after `stop`. */
  removeTargets(): Promise<void>;
}

/** Starts database, identity provider and gateway on one data directory; on any failure, nothing is left running. */
export async function startStage(options: StartOptions): Promise<Stage> {
  const { tell } = options;
  const at = layout(resolve(options.dataDir));
  const stack = new Undo();
  try {
    await mkdir(at.root, { recursive: true });
    // Root hands the database to another account, which must be able to pass through; it can't list what is here.
    await chmod(at.root, process.getuid?.() === 0 ? 0o711 : 0o700);
    stack.push(await lock(at));
    await checkPorts(options.ports);

    tell('starting PostgreSQL …');
    const database = await startDatabase({ dir: at.database, tell });
    stack.push(() => database.stop());
    options.signal?.throwIfAborted();

    tell('starting the build host, the CRM and the runbooks …');
    const known = shopfront();
    const host = await startHost({ dir: at.host, orders: known.orders, tell });
    stack.push(() => host.stop());
    const crm = await startCrm({ dir: at.crm, customers: known.customers });
    stack.push(() => crm.stop());
    const runbooks = await startRunbooks({ dir: at.runbooks });
    stack.push(() => runbooks.stop());
    options.signal?.throwIfAborted();

    tell('starting the identity provider …');
    const identity = await startIdentityProvider({ dir: at.identity });
    stack.push(() => identity.stop());
    const tokens = {
      agent: await identity.token('agent'),
      engineer: await identity.token('engineer'),
      dba: await identity.token('dba'),
    };
    await mkdir(at.tokens, { recursive: true, mode: 0o700 });
    for (const role of roleNames) await writeFile(at.token(role), `${tokens[role]}\n`, { mode: 0o600 });
    options.signal?.throwIfAborted();

    tell('starting the gateway …');
    const certificates = await keptCertificates(at.tls);
    await writeConfiguration(at, options.ports, { database, host, crm, runbooks, identity });
    // Made here so that it is for our eyes only: it names who did what.
    await writeFile(at.log, '', { flag: 'a', mode: 0o600 });
    const gateway = await startGatewayOn(at);
    stack.push(() => gateway.stop());
    for (const problem of gateway.policyProblems) tell(`policies are not right, so everything is denied: ${problem}`);
    options.signal?.throwIfAborted();

    return {
      at,
      listeners: gateway.listeners,
      api: gateway.api,
      tokens,
      certificates,
      database,
      host,
      crm,
      runbooks,
      shopfront: known,
      stop: () => stack.unwind(),
      async removeTargets() {
        await database.remove();
        await host.remove();
      },
    };
  } catch (error) {
    // The failure that started this is the one to report; what then refuses to stop is mentioned beside it.
    await stack.unwind().catch((left: unknown) => tell(messageOf(left)));
    throw error;
  }
}

async function lock(at: Layout): Promise<() => void> {
  try {
    // Not the data directory itself: that one belongs to the gateway, which locks it on its own.
    return await lockDirectory(at.database);
  } catch (cause) {
    throw new Error(
      `A demo seems to be running on ${at.root} already: stop it, or choose another place with --data-dir. ` +
        `(${messageOf(cause)})`,
      { cause },
    );
  }
}

/** What was started, to be stopped last in, first out. */
class Undo {
  readonly #steps: (() => void | Promise<void>)[] = [];
  #done: Promise<void> | undefined;

  push(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  unwind(): Promise<void> {
    this.#done ??= this.#run();
    return this.#done;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, `Not everything stopped: ${failures.map(messageOf).join('; ')}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
