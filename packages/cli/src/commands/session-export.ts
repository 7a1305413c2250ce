import { once } from 'node:events';
import { JsonEvents } from '@sluice/core/recording/json-lines.ts';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Context, Runner } from '../context.ts';
import { safeJson, visible } from '../terminal/visible.ts';
import { writeWhole } from '../write-file.ts';
import { whole } from './arguments.ts';
import { largestUnit } from './session-replay.ts';
import { recordingBytes, sessionOrFile } from './session-source.ts';

interface Options {
  readonly format: 'jsonl' | 'recording' | 'asciicast';
  readonly output?: string;
  readonly unit?: number;
  readonly input?: boolean;
}

export function registerExport(sessions: Command, runner: Runner): void {
  sessions
    .command('export')
    .argument('<session>', sessionOrFile)
    .description("write a session's recording to standard output or a file")
    .addOption(
      new Option(
        '--format <format>',
        'jsonl: one event per line; recording: the sealed file itself; asciicast: what terminals and commands showed, for players of version 3 of that format',
      )
        .choices(['jsonl', 'recording', 'asciicast'])
        .default('jsonl'),
    )
    .option('--unit <n>', 'of an asciicast: only this unit, by its number in the export', whole(0, largestUnit))
    .option('--input', 'of an asciicast: also what was typed, be it a password')
    .option('-o, --output <file>', 'write to this file; it appears once it is complete')
    .addHelpText(
      'after',
      `
An asciicast has a marker for each decision. Its player draws on a terminal, so what could do more than draw is left out.

Examples:
  $ sluice sessions export ses_… | jq .type
  $ sluice sessions export ses_… --format recording -o ses_….sluice
  $ sluice sessions export ses_… --format asciicast -o ses_….cast`,
    )
    .action(
      runner.action<Options>(async (context, [name = ''], options) => {
        const { format, output: path } = options;
        if (format !== 'asciicast' && (options.unit !== undefined || options.input)) {
          throw new CliError('usage', '--unit and --input are for --format asciicast.');
        }
        const chunks = chunksOf(await recordingBytes(context, name), options);
        if (path === undefined) {
          await pour(chunks, context);
          return undefined;
        }
        const size = await writeWhole(path, chunks);
        context.output.answer({ session: name, format, file: path, bytes: size }, () => [
          `${visible(path)}: ${size} bytes`,
        ]);
        return undefined;
      }),
    );
}

function chunksOf(bytes: AsyncIterable<Uint8Array>, options: Options): AsyncIterable<Uint8Array | string> {
  if (options.format === 'recording') return bytes;
  return options.format === 'jsonl' ? lines(bytes) : cast(bytes, options);
}

async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const { eventsOf } = await import('../recording/recording-source.ts');
  const json = new JsonEvents();
  for await (const item of eventsOf(bytes)) yield `${safeJson(json.item(item))}\n`;
}

async function* cast(
  bytes: AsyncIterable<Uint8Array>,
  { unit, input }: Options,
): AsyncGenerator<string, void, undefined> {
  const [{ eventsOf }, { Asciicast }] = await Promise.all([
    import('../recording/recording-source.ts'),
    import('../recording/asciicast.ts'),
  ]);
  const asciicast = new Asciicast({ ...(unit === undefined ? {} : { unit }), ...(input ? { input } : {}) });
  for await (const item of eventsOf(bytes)) {
    const text = asciicast.text(item);
    if (text !== '') yield text;
  }
  if (!asciicast.shown) {
    const where = unit === undefined ? 'the session' : `unit ${unit} of the session`;
    throw new CliError('failed', `There is nothing to play: ${where} has no output of a terminal or a command.`, {
      hint: 'With --format jsonl you see all that was recorded.',
    });
  }
  yield asciicast.end();
}

async function pour(chunks: AsyncIterable<Uint8Array | string>, { output }: Context): Promise<void> {
  for await (const chunk of chunks) if (!output.stdout.write(chunk)) await once(output.stdout, 'drain');
}
