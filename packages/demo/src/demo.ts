/**
 * `sluice demo`: a complete Sluice on one machine, from nothing but Node. Starts what is to be reached (a database, a
 * host, an API, MCP servers), an identity provider and the gateway in front of them, and says what to paste. It is the
 * same gateway that `sluice start` runs, on a configuration it writes itself; it is not a way to run one in earnest.
 */
import { relative } from 'node:path';
import type { Address } from './gateway.ts';
import { paste } from './paste.ts';
import { defaultPorts, type Ports } from './ports.ts';
import { type Stage, startStage } from './start.ts';
import { shop } from './targets.ts';

export interface DemoOptions {
  /** Default: `.sluice/demo` under the current directory. */
  readonly dataDir?: string;
  /** Where the gateway listens; 0 takes any free port. `defaultPorts` for what is not said. */
  readonly ports?: Partial<Ports>;
  /** One line of JSON on standard output, and nothing else there. */
  readonly json?: boolean;
  /** Stops the demo, also while it is still starting. */
  readonly signal?: AbortSignal;
}

/** The line that `--json` prints. */
export interface DemoInfo {
  /** The database's target; the others have fixed names, too. */
  readonly target: string;
  readonly postgres: Address;
  readonly ssh: Address;
  readonly http: Address;
  readonly mcp: Address;
  readonly api: string;
  readonly data_dir: string;
  readonly tokens: { readonly agent: string; readonly engineer: string; readonly dba: string };
}

export interface RunningDemo {
  readonly info: DemoInfo;
  /** Stops everything it started; safe to call twice. */
  stop(): Promise<void>;
  /** Resolves once it has stopped, by `stop` or by the signal; rejects when a part refused to stop. */
  readonly stopped: Promise<void>;
}

const defaultDataDir = '.sluice/demo';

/** Resolves once everything runs and was announced. Rejects, with nothing left running, with a sentence for people. */
export async function runDemo(options: DemoOptions = {}): Promise<RunningDemo> {
  const begun = performance.now();
  const tell = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const stage = await startStage({
    dataDir: options.dataDir ?? defaultDataDir,
    ports: { ...defaultPorts, ...options.ports },
    tell,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const info = infoOf(stage);
  if (options.json) process.stdout.write(`${JSON.stringify(info)}\n`);
  else {
    const seconds = (performance.now() - begun) / 1000;
    process.stdout.write(paste(stage, { seconds, shownDir: relative(process.cwd(), stage.at.root) || '.' }));
  }
  return running(stage, info, options.signal);
}

function infoOf(stage: Stage): DemoInfo {
  const { listeners, api, at, tokens } = stage;
  return { target: shop, ...listeners, api, data_dir: at.root, tokens };
}

function running(stage: Stage, info: DemoInfo, signal: AbortSignal | undefined): RunningDemo {
  let settle: (outcome: Promise<void>) => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    settle = resolve;
  });
  // Whoever does not look at `stopped` still sees a failure in the promise of `stop`.
  stopped.catch(() => undefined);
  const stop = (): Promise<void> => {
    const outcome = stage.stop();
    settle(outcome);
    return outcome;
  };
  if (signal?.aborted) void stop().catch(() => undefined);
  else signal?.addEventListener('abort', () => void stop().catch(() => undefined), { once: true });
  return { info, stop, stopped };
}
