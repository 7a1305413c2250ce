import { once } from 'node:events';
import { JsonEvents } from '@sluice/core/recording/json-lines.ts';
import { type Command, Option } from 'commander';
import type { Context, Runner } from '../context.ts';
import { safeJson, visible } from '../terminal/visible.ts';
import { writeWhole } from '../write-file.ts';
import { recordingBytes, sessionOrFile } from './session-source.ts';

interface Options {
  readonly format: 'jsonl' | 'recording';
  readonly output?: string;
}

export function registerExport(sessions: Command, runner: Runner): void {
  sessions
    .command('export')
    .argument('<session>', sessionOrFile)
    .description("write a session's recording to standard output or a file")
    .addOption(
      new Option('--format <format>', 'jsonl: one event per line; recording: the sealed file itself')
        .choices(['jsonl', 'recording'])
        .default('jsonl'),
    )
    .option('-o, --output <file>', 'write to this file; it appears once it is complete')
    .addHelpText(
      'after',
      `
Examples:
  $ sluice sessions export ses_… | jq .type
  $ sluice sessions export ses_… --format recording -o ses_….sluice`,
    )
    .action(
      runner.action<Options>(async (context, [name = ''], { format, output: path }) => {
        const bytes = await recordingBytes(context, name);
        const chunks = format === 'jsonl' ? lines(bytes) : bytes;
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

async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const { eventsOf } = await import('../recording/recording-source.ts');
  const json = new JsonEvents();
  for await (const item of eventsOf(bytes)) yield `${safeJson(json.item(item))}\n`;
}

async function pour(chunks: AsyncIterable<Uint8Array | string>, { output }: Context): Promise<void> {
  for await (const chunk of chunks) if (!output.stdout.write(chunk)) await once(output.stdout, 'drain');
}
