import pc from 'picocolors';
import type { Failure } from '../failure.ts';
import { safeJson, visible } from './visible.ts';

export type Paint = (text: string) => string;

export interface Paints {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Where a command's answer goes: readable text, or one line of JSON; problems to standard error. */
export class Output {
  readonly json: boolean;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether it is one that shall have colours. */
  readonly colored: boolean;
  readonly paint: Paints;
  readonly stdout: Streams['stdout'];
  readonly #stderr: Streams['stderr'];
  readonly #errorPaint: Paints;

  constructor(streams: Streams, options: { json: boolean; noColor: boolean }) {
    this.json = options.json;
    this.stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.terminal = streams.stdout.isTTY === true;
    this.colored = this.terminal && !options.noColor && !options.json;
    this.paint = pc.createColors(this.colored);
    this.#errorPaint = pc.createColors(streams.stderr.isTTY === true && !options.noColor && !options.json);
  }

  /** The answer: `value` with `--json`, else the lines that `readable` gives. */
  answer(value: unknown, readable: () => readonly string[]): void {
    if (this.json) this.stdout.write(`${safeJson(value)}\n`);
    else for (const line of readable()) this.stdout.write(`${line}\n`);
  }

  /** Something worth knowing that is no part of the answer. */
  note(line: string): void {
    if (!this.json) this.#stderr.write(`${line}\n`);
  }

  fail(failure: Failure): void {
    const { code, message, hint, requestId } = failure;
    if (this.json) {
      const error = {
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(requestId ? { request_id: requestId } : {}),
      };
      this.#stderr.write(`${safeJson({ error })}\n`);
      return;
    }
    const { red, dim } = this.#errorPaint;
    const lines = message.split('\n').map(visible);
    this.#stderr.write(`${red('error:')} ${lines.join('\n       ')}\n`);
    if (hint !== undefined) this.#stderr.write(`${dim('hint:')}  ${visible(hint)}\n`);
    if (requestId) this.#stderr.write(dim(`       gateway log: ${visible(requestId)}\n`));
  }
}
