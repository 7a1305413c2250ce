import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { Context, Runner } from '../context.ts';
import { safeJson, visible } from '../terminal/visible.ts';
import { writeWhole } from '../write-file.ts';

interface Options {
  readonly format: 'jsonl' | 'recording';
  readonly output?: string;
}

export function registerExport(sessions: Command, runner: Runner): void {
  sessions
    .command('export')
    .argument('<id>', 'id of the session')
    .description("write a session's recording to standard output or a file")
    .addOption(
      new Option('--format <format>', 'jsonl: one event per line; recording: the sealed file itself')
        .choices(['jsonl', 'recording'])
        .default('jsonl'),
    )
    .option('-o, --output <file>', 'write to this file; it appears once it is complete')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice sessions export ses_… | jq .type\n  $ sluice sessions export ses_… --format recording -o ses_….sluice\n',
    )
    .action(
      runner.action<Options>(async (context, [id = ''], { format, output: path }) => {
        const chunks = format === 'jsonl' ? lines(context, id) : await context.client().recording(id);
        if (path === undefined) {
          await pour(chunks, context.output.stdout);
          return undefined;
        }
        const bytes = await writeWhole(path, chunks);
        context.output.answer({ session: id, format, file: path, bytes }, () => [`${visible(path)}: ${bytes} bytes`]);
        return undefined;
      }),
    );
}

async function* lines({ client }: Context, id: string): AsyncGenerator<string, void, undefined> {
  for await (const event of client().streamSessionEvents(id)) yield `${safeJson(event)}\n`;
}

async function pour(chunks: AsyncIterable<Uint8Array | string>, to: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of chunks) if (!to.write(chunk)) await once(to, 'drain');
}
