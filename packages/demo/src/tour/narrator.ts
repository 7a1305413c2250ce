import { ink } from '../terminal/ink.ts';
import { type Cell, table, wrap } from '../terminal/layout.ts';

/** What one scene claimed and whether it held. */
export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What was seen instead. */
  readonly detail?: string;
}

/** Tells the tour while it happens. */
export interface Narrator {
  begin(lines: readonly string[]): void;
  scene(number: number, title: string): void;
  thought(text: string): void;
  action(text: string): void;
  /** Rows, or a refusal in the server's form. */
  observation(text: string): void;
  rows(rows: readonly Readonly<Record<string, Cell>>[]): void;
  /** Somebody other than the agent. */
  aside(who: string, text: string): void;
  /** Output of a command, already safe for a terminal. */
  output(lines: readonly string[]): void;
  check(check: Check): void;
  end(ok: boolean, lines: readonly string[]): void;
}

const gutter = 15;
const width = 100;

/** For people, on any stream; coloured where that stream is a terminal. */
export function narrator(stream: NodeJS.WritableStream): Narrator {
  const { bold, dim, red, green, yellow, blue } = ink(stream);
  const print = (line = ''): void => {
    stream.write(`${line}\n`);
  };
  const block = (label: string, lines: readonly string[], paint: (text: string) => string = (text) => text): void => {
    lines.forEach((line, index) => {
      const margin = index === 0 ? label : '';
      print(`  ${paint(margin.padEnd(gutter - 3))} ${line}`);
    });
  };
  const text = (label: string, words: string, paint?: (text: string) => string): void =>
    block(label, wrap(words, width - gutter), paint);
  return {
    begin([head = '', ...rest]) {
      print(`\n${bold(head)}`);
      for (const line of rest) print(dim(line));
    },
    scene(number, title) {
      print(`\n${bold(`${number}  ${title}`)}`);
    },
    thought: (words) => text('Thought', words, blue),
    action: (words) => text('Action', words, yellow),
    observation: (words) => text('Observation', words, dim),
    rows: (rows) => block('Observation', table(rows, 5), dim),
    aside: (who, words) => text(who, words, bold),
    output(lines) {
      for (const line of lines) print(dim(`  ${' '.repeat(gutter - 3)} ${line}`));
    },
    check({ ok, what, detail }) {
      const sign = ok ? green('✔') : red('✘');
      const words = detail === undefined || ok ? what : `${what}: ${detail}`;
      wrap(words, width - 4).forEach((line, index) => {
        print(`  ${index === 0 ? sign : ' '} ${line}`);
      });
    },
    end(ok, lines) {
      const [head = '', ...rest] = lines;
      print(`\n${ok ? green(bold(head)) : red(bold(head))}`);
      for (const line of rest) print(line);
    },
  };
}

/** For `--json`: the story is left out, the checks are collected elsewhere. */
export const silent: Narrator = {
  begin() {},
  scene() {},
  thought() {},
  action() {},
  observation() {},
  rows() {},
  aside() {},
  output() {},
  check() {},
  end() {},
};
