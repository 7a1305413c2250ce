import { parseArgs } from 'node:util';
import type { Choice } from './measure.ts';

/** What was asked for on the command line. */
export interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly soakMinutes: number;
  /** Ids of the rows to measure, in no order. */
  readonly chosen: ReadonlySet<string>;
  readonly cpuProfile?: string;
}

/** A command line that cannot be followed; the message is for whoever wrote it. */
export class OptionsError extends Error {}

export const help = `Measures Sluice beside what it stands in front of, and beside what else stands there.

  npm run bench                          every row: about an hour
  npm run bench -- --quick               two minutes, to see whether a change did anything
  npm run bench -- --list                the rows and what they are called
  npm run bench -- --only select-simple-1,thousand-rows-4
  npm run bench -- --only select-prepared      every row whose id begins like this

Each row is measured in rounds; in each round everybody has a turn, one after the other: the target itself, the peer, and
the gateway, with policies, two masked columns and recording on. The table has medians, the ratio to the goal's peer in
the same rounds, and whether the goal was reached. Times of one machine say nothing about another one; ratios do, a little.

  --quick          fewer and shorter turns, and not every row
  --only IDS       these rows only, by id or by how their ids begin, separated by commas
  --list           tell the rows and end
  --rounds N       turns of each (5, with --quick 3)
  --seconds N      length of a turn (5, with --quick 1)
  --soak [N]       the soak too, of N minutes (10); without it, it is left out
  --cpu-prof DIR   the gateway's process writes a CPU profile there when it ends (measure one row at a time;
                   its main thread is the file with .0. in its name)
  --json           the results as JSON on standard output instead of the table
  --write          write docs/benchmarks: the page, the results as JSON, the chart
  --help           this text

When every row was measured, what the gateway recorded is compared with what was sent to it: each statement must be in a
sealed recording, each result must have the rows that it must have when masked. Ends with 1 when that is not so, or a
row could not be measured; goals that are not reached are told and do not change that. What a row needs and this
machine does not have (PgBouncer, OpenSSH) is told as skipped.
`;

/** Throws OptionsError. */
export function readOptions(args: readonly string[], choices: readonly Choice[]): Options {
  const values = parsed(args);
  const { quick = false, json = false, write = false, list = false, help: asked = false } = values;
  const soak = values.soak !== undefined;
  return {
    quick,
    json,
    write,
    list,
    help: asked,
    rounds: whole('--rounds', values.rounds, quick ? 3 : 5),
    seconds: whole('--seconds', values.seconds, quick ? 1 : 5),
    soakMinutes: whole('--soak', values.soak === '' ? undefined : values.soak, 10),
    chosen: choose(values.only, choices, quick, soak),
    ...(values['cpu-prof'] === undefined ? {} : { cpuProfile: values['cpu-prof'] }),
  };
}

function parsed(args: readonly string[]) {
  // An option with a value that may be left out is not known to parseArgs.
  const given = args.flatMap((arg, at) => (arg === '--soak' && !/^\d/.test(args[at + 1] ?? '') ? ['--soak='] : [arg]));
  try {
    return parseArgs({
      args: given,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        write: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        soak: { type: 'string' },
        only: { type: 'string', multiple: true },
        'cpu-prof': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(`${(error as Error).message}\nSee --help.`);
  }
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new OptionsError(`${name} takes a whole number from 1 to 9999, not "${text}".`);
  return Number(text);
}

function choose(
  only: readonly string[] | undefined,
  choices: readonly Choice[],
  quick: boolean,
  soak: boolean,
): ReadonlySet<string> {
  if (!only) {
    return new Set(choices.filter((row) => (row.long ? soak : row.quick || !quick)).map(({ id }) => id));
  }
  const chosen = new Set<string>();
  for (const wanted of only.flatMap((list) => list.split(','))) {
    const exact = choices.filter(({ id }) => id === wanted);
    const found = exact.length > 0 ? exact : choices.filter(({ id }) => wanted !== '' && id.startsWith(wanted));
    if (found.length === 0) {
      throw new OptionsError(`There is no row "${wanted}". Rows: ${choices.map(({ id }) => id).join(', ')}.`);
    }
    for (const { id } of found) chosen.add(id);
  }
  return chosen;
}
