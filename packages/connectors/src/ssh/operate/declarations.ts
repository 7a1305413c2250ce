import type { OperationDeclaration } from '@sluice/core/contract/operations.ts';

/** Bytes of each stream that are returned, seconds that a command may take. */
export const mostOutput = 256 * 1024;
export const seconds = { usual: 120, most: 600 };

/** A table: what can be asked of a host, with the shapes of question and answer. */
export const sshOperations: readonly OperationDeclaration[] = [
  {
    name: 'run',
    title: 'Run one command on a host',
    doc: `Runs one command line at a host target, by the account's login shell and without a terminal, and returns what it printed. Each call starts anew: a directory that was changed to and variables that were set are forgotten. Write commands plainly: every program in them is judged by policy, and what can't be known before it runs (variables, $(…), eval, scripts from standard input) often needs more rights than naming it outright. A non-zero "exit_code" is the command's own. At most ${mostOutput} bytes of each stream come back; when "truncated" is true, narrow the command (head, grep, tail). It is stopped after ${seconds.usual} seconds unless "timeout_seconds" says otherwise. Example: {"command": "journalctl -u checkout --since -1h | tail -n 50"}`,
    input: {
      type: 'object',
      properties: {
        command: { type: 'string', minLength: 1, description: 'One command line for a POSIX shell.' },
        timeout_seconds: {
          type: 'integer',
          minimum: 1,
          maximum: seconds.most,
          description: `Seconds after which it is stopped; ${seconds.usual} if absent.`,
        },
      },
      required: ['command'],
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: {
        stdout: { type: 'string' },
        stderr: { type: 'string' },
        exit_code: { type: ['integer', 'null'], description: 'Null when a signal ended it.' },
        signal: { type: 'string', description: 'The signal that ended it.' },
        truncated: { type: 'boolean', description: 'There was more output than is returned here.' },
        timed_out: { type: 'boolean', description: 'It took too long and was stopped.' },
      },
      required: ['stdout', 'stderr', 'exit_code', 'truncated', 'timed_out'],
    },
    readOnly: false,
  },
];
