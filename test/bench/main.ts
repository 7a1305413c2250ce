/**
 * The benchmark, `npm run bench`: Sluice with everything on, measured side by side with the target itself and with what
 * else people put in front of it. It is no test: it fails when what it measured was not recorded or not masked, never
 * because something is slow.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { choices, measure } from './measure.ts';
import { help, type Options, OptionsError, readOptions } from './options.ts';
import { progressOn } from './report/progress.ts';
import { tellResult, tellSummary } from './report/table.ts';
import { chapters } from './rows/chapters.ts';

const rows = choices(chapters);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), rows);
  if (options.help) return tell(help);
  if (options.list) return tell(`${rows.map(({ id, title }) => `${id.padEnd(24)}${title}`).join('\n')}\n`);
  if (options.cpuProfile !== undefined) mkdirSync(options.cpuProfile, { recursive: true });
  const progress = progressOn(process.stderr);
  const results = await measure(
    chapters,
    options.chosen,
    { ...settingsOf(options), progress: progress.at },
    (result) => {
      progress.clear();
      if (!options.json) tell(`${tellResult(result)}\n`);
    },
  );
  progress.clear();
  tell(options.json ? `${JSON.stringify(results, null, 2)}\n` : `\n${tellSummary(results)}\n`);
  return results.some(({ faults }) => faults.length > 0) ? 1 : 0;
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

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof OptionsError ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = 1;
}
