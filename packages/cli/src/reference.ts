/**
 * docs/cli.md: the command line as commander knows it, for people. The page is this function's value; a test holds the
 * two together, so that a command or option cannot be added without its line here.
 */
import type { Command } from 'commander';
import { Runner } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { buildProgram } from './program.ts';

const streams = { stdout: process.stdout, stderr: process.stderr };
const nobody = { token: undefined, api: undefined, noColor: true };

export function cliReference(): string {
  const program = buildProgram(new Runner(streams, nobody, () => new AbortController().signal), '0.0.0', {});
  const globals = program.options.filter((option) => option.long !== '--version');
  const parts = [
    intro,
    ['## Options of every command', '', ...optionLines(globals)].join('\n'),
    ['## Exit codes', '', '| Code | Means |', '|---|---|', ...Object.values(exitCodes).map(exitLine)].join('\n'),
    ...leaves(program).map(({ words, command }) => section(words, command)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const intro = `# The \`sluice\` command

In a checkout every command runs as \`npx sluice …\`. Commands that ask a gateway need its address and a token:

| | Option | Environment |
|---|---|---|
| Address of the API | \`--api <url>\` | \`SLUICE_API\` |
| OIDC token | \`--token-file <file>\` | \`SLUICE_TOKEN\` |

An option wins over the environment. A token is never an argument, because arguments are visible to every process of the
machine, and it is never sent in clear text to another machine.

An \`https\` address is trusted as Node trusts it; \`NODE_EXTRA_CA_CERTS=<file>\` adds an authority of one's own.

With \`--json\` a command answers with one line of JSON on standard output (the answer of the HTTP API, where it asked one; see
[api.md](api.md)), and an error is \`{"error": {"code", "message", "hint"?, "request_id"?}}\` on standard error. Without it the
output is for people and may change. Text that others wrote is shown with control, format and bidirectional characters
spelled out, like \`\\u{202e}\`. Colours appear on terminals only, and not when \`NO_COLOR\` is set.`;

function exitLine({ code, doc }: { readonly code: number; readonly doc: string }): string {
  return `| ${code} | ${doc} |`;
}

/** Commands that do something, with all words that lead to them. */
function leaves(command: Command, before: readonly string[] = []): { words: readonly string[]; command: Command }[] {
  const words = [...before, command.name()];
  if (command.commands.length === 0) return [{ words, command }];
  return command.commands.flatMap((inner) => leaves(inner, words));
}

function section(words: readonly string[], command: Command): string {
  const usage = [
    ...words,
    ...command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)),
  ];
  const options = command.options.length > 0 ? ['', ...optionLines(command.options)] : [];
  return [`## \`${usage.join(' ')}\``, '', sentence(command.description()), ...options].join('\n');
}

function optionLines(options: Command['options']): string[] {
  return options.map((option) => {
    const choices = option.argChoices ? ` One of ${option.argChoices.map((one) => `\`${one}\``).join(', ')}.` : '';
    const fallback = typeof option.defaultValue === 'string' ? ` Default: \`${option.defaultValue}\`.` : '';
    return `* \`${option.flags}\`: ${sentence(option.description)}${choices}${fallback}`;
  });
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return start.endsWith('.') ? start : `${start}.`;
}
