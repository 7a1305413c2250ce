/**
 * `sluice tour`: the demo in a fresh data directory, driven from start to end by a small agent and checked at every step
 * against what lies behind the gateway. It exits with 0 only if each step did what it says. It is a demonstration that happens to
 * be strict, not a test suite.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { anyPorts } from './ports.ts';
import { stuckOrder } from './seed/shop.ts';
import { type Stage, startStage } from './start.ts';
import { Agent } from './tour/agent.ts';
import { type Check, type Narrator, narrator, silent } from './tour/narrator.ts';
import type { Memory, Props, Scene, SceneResult } from './tour/scene.ts';
import { scenes } from './tour/scenes/scenes.ts';
import { Witness } from './tour/witness.ts';

export interface TourOptions {
  /** Kept afterwards. Default: a temporary one that is removed. */
  readonly dataDir?: string;
  /** One line of JSON per step on standard output, and nothing else there. */
  readonly json?: boolean;
  /** Ends the tour early. */
  readonly signal?: AbortSignal;
}

const opening = [
  'An AI agent, what it wants to reach, and what stands between them',
  'The agent (support-agent, owned by dana) has a token and some addresses, and no password of what is',
  'behind them: a database, an SSH host, an API, MCP servers. alex is the DBA, and on call.',
  'Every claim marked ✔ is checked against what lies behind the gateway, never against its own word.',
];

/** Resolves with the exit code: 0 when every step did what it says, else 1. */
export async function runTour(options: TourOptions = {}): Promise<number> {
  if (options.dataDir !== undefined) return tour(options.dataDir, options);
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-tour-'));
  try {
    return await tour(dataDir, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    process.stderr.write('Stopped before the tour was over.\n');
    return 1;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function tour(dataDir: string, options: TourOptions): Promise<number> {
  const stage = await startStage({
    dataDir,
    ports: anyPorts,
    tell: (line) => {
      process.stderr.write(`${line}\n`);
    },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const temporary = options.dataDir === undefined;
  const cutShort = (): void => {
    // Somebody closed our output or pressed Ctrl-C twice: a tour that was not seen through is no success.
    process.exitCode = 1;
    if (!temporary) return;
    stage.database.removeNow();
    stage.host.removeNow();
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.once('exit', cutShort);
  try {
    const voice = options.json ? silent : narrator(process.stdout);
    voice.begin(opening);
    const results = await play(stage, voice, options);
    voice.end(...ending(results, temporary ? undefined : dataDir));
    return results.length === scenes.length && results.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await stage.stop();
    if (temporary) await stage.removeTargets();
    process.off('exit', cutShort);
  }
}

async function play(stage: Stage, voice: Narrator, options: TourOptions): Promise<readonly SceneResult[]> {
  const witness = await Witness.call(stage);
  const memory: Memory = {};
  const results: SceneResult[] = [];
  try {
    await setTheStage(witness);
    const agent = await Agent.connect(stage, voice);
    options.signal?.addEventListener('abort', () => void agent.close().catch(() => undefined), { once: true });
    const dba = new ApiClient({ base: stage.api, token: stage.tokens.dba });
    const props: Props = { stage, agent, dba, witness, narrator: voice, memory };
    try {
      for (const [index, scene] of scenes.entries()) {
        if (options.signal?.aborted) break;
        const result = await playOne(scene, index + 1, props);
        results.push(result);
        if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
        // Later scenes stand on earlier ones.
        if (!result.ok) break;
      }
    } finally {
      await agent.close();
    }
  } finally {
    await witness.leave();
  }
  return results;
}

/** A tour that was played here before has changed the order that the story is about. */
async function setTheStage(witness: Witness): Promise<void> {
  await witness.rows("UPDATE orders SET status = 'payment_pending' WHERE id = $1 AND status <> 'payment_pending'", [
    stuckOrder,
  ]);
}

async function playOne(scene: Scene, step: number, props: Props): Promise<SceneResult> {
  const begun = performance.now();
  const checks: Check[] = [];
  props.narrator.scene(step, scene.title);
  const claim = (what: string, ok: boolean, detail?: string): void => {
    const check = ok || detail === undefined ? { what, ok } : { what, ok, detail };
    checks.push(check);
    props.narrator.check(check);
  };
  let failure: string | undefined;
  try {
    await scene.play(props, claim);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    props.narrator.check({ what: failure, ok: false });
  }
  return {
    step,
    name: scene.name,
    title: scene.title,
    ok: failure === undefined && checks.length > 0 && checks.every(({ ok }) => ok),
    checks,
    ...(failure === undefined ? {} : { error: failure }),
    ms: Math.round(performance.now() - begun),
  };
}

function ending(results: readonly SceneResult[], kept: string | undefined): [boolean, readonly string[]] {
  const failed = results.find(({ ok }) => !ok);
  const where = kept === undefined ? [] : [`Everything is kept in ${kept}`];
  if (failed) return [false, [`Step ${failed.step} did not do what it says: ${failed.title}`, ...where]];
  if (results.length < scenes.length)
    return [false, [`Stopped after step ${results.length} of ${scenes.length}.`, ...where]];
  const checks = results.reduce((sum, result) => sum + result.checks.length, 0);
  return [
    true,
    [
      `All ${results.length} steps did what they say (${checks} checks).`,
      'Try it yourself: npm start. In front of what you have: examples/',
      ...where,
    ],
  ];
}
