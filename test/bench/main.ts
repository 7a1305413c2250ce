/**
 * The benchmark, `npm run bench`: Sluice with everything on, measured side by side with the target itself and with what
 * else people put in front of it. It is no test: it fails when what it measured was not recorded or not masked, never
 * because something is slow.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { choices, measure } from './measure.ts';
import { help, type Options, OptionsError, readOptions } from './options.ts';
import { busyProcessors, describeMachine } from './report/machine.ts';
import { progressOn } from './report/progress.ts';
import { type KeptResult, type Run, toJson } from './report/run.ts';
import { tellResult, tellSummary } from './report/table.ts';
import { writeRun } from './report/write.ts';
import { chapters } from './rows/chapters.ts';

const rows = choices(chapters);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), rows);
  if (options.help) return tell(help);
  if (options.list) return tell(`${rows.map(({ id, title }) => `${id.padEnd(24)}${title}`).join('\n')}\n`);
  if (options.cpuProfile !== undefined) mkdirSync(options.cpuProfile, { recursive: true });
  const machine = describeMachine();
  const busy = busyProcessors();
  if (busy > machine.processors / 2) {
    process.stderr.write(
      `Others keep ${busy.toFixed(1)} of ${machine.processors} processors busy: figures are worth little.\n`,
    );
  }
  const progress = progressOn(process.stderr);
  const { rounds, seconds } = options;
  const results: KeptResult[] = [];
  const run: Run = { format: 1, machine, results };
  const faults = await measure(
    chapters,
    options.chosen,
    { ...settingsOf(options), progress: progress.at },
    (result) => {
      progress.clear();
      results.push({ ...result, at: new Date().toISOString(), commit: machine.commit, rounds, seconds });
      if (!options.json) tell(`${tellResult(result)}\n`);
    },
  );
  progress.clear();
  tell(options.json ? toJson(run) : `\n${tellSummary(results)}\n`);
  for (const fault of faults.slice(0, 20)) process.stderr.write(`FAULT ${fault}\n`);
  const valid = faults.length === 0 && results.every((result) => result.faults.length === 0);
  if (options.write && valid) {
    writeRun(
      run,
      rows.map(({ id }) => id),
    );
  }
  if (options.write && !valid) process.stderr.write('Nothing is written: the run is not valid.\n');
  return valid ? 0 : 1;
}

function settingsOf({ quick, rounds, seconds, soakMinutes, cpuProfile }: Options) {
  return {
    quick,
    rounds,
    seconds,
    soakMinutes,
    ...(cpuProfile === undefined ? {} : { cpuProfile: resolve(cpuProfile) }),
  };
}

function tell(text: string): number {
  process.stdout.write(text);
  return 0;
}

// Whoever does not want to wait any longer leaves nothing running.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof OptionsError ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = 1;
}
