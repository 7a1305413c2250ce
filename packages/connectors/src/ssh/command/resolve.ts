import { baseName } from '../resources.ts';
import { keepsEncoding } from './admit.ts';
import { builtinReasons, changesDirectories } from './builtins.ts';
import { tellsPrograms, tellsShell } from './environment.ts';
import { CommandError } from './error.ts';
import { isKnown } from './options.ts';
import { runsCode } from './programs.ts';
import type { Reason, Redirection, Simple, Word } from './tree.ts';
import { elevating, wrappers } from './wrappers.ts';

/** One program that a command line runs, with everything that is known of it. */
export interface Run {
  /** Empty when nothing is run, or nobody can know what. */
  readonly program: string;
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
  readonly wrappers: readonly string[];
  readonly assigned: readonly string[];
  readonly reasons: ReadonlySet<Reason>;
  readonly pipeline: boolean;
  readonly background: boolean;
  readonly elevated: boolean;
  readonly runsCode: boolean;
  /** It may start in another directory than the command line does. */
  readonly moved: boolean;
  /** It changes the directory for what comes after it. */
  readonly moves: boolean;
}

/** What is true for everything that a command runs, however deep. */
interface Around {
  readonly wrappers: readonly string[];
  readonly assigned: readonly string[];
  readonly reasons: readonly Reason[];
  readonly elevated: boolean;
  readonly moved: boolean;
  readonly depth: number;
}

const outside: Around = { wrappers: [], assigned: [], reasons: [], elevated: false, moved: false, depth: 0 };

/** Most programs that run each other before nothing more is looked into. */
const deepest = 8;
/** Most programs in one command line. */
const mostPrograms = 500;

/** Reads the text that a program gives to a shell; throws for what can't be read. */
export type ReadText = (text: string) => readonly Simple[];

/** Finds the programs that commands run, also behind others and in substitutions. */
export function resolve(commands: readonly Simple[], read: ReadText, terminal: boolean): readonly Run[] {
  return new Resolver(read, terminal).all(commands, outside);
}

class Resolver {
  readonly #read: ReadText;
  readonly #terminal: boolean;
  #found = 0;

  constructor(read: ReadText, terminal: boolean) {
    this.#read = read;
    this.#terminal = terminal;
  }

  all(commands: readonly Simple[], around: Around): readonly Run[] {
    return commands.flatMap((command) => this.#simple(command, around));
  }

  #simple(command: Simple, around: Around): readonly Run[] {
    const reasons = new Set<Reason>([...around.reasons, ...command.reasons]);
    const values = [...command.words, ...command.inputs, ...command.assignments.map(({ value }) => value)];
    const inner = [...values, ...command.redirections.map(({ target }) => target)].flatMap((word) => word.inner);
    const tells = command.words.length > 0 ? tellsPrograms : tellsShell;
    for (const { name, value } of command.assignments) {
      if (tells(name) || !isKnown(value) || !keepsEncoding(name, value.value)) reasons.add('environment');
    }
    if (command.inputs.some((word) => word.inner.length > 0)) reasons.add('substitution');
    const place: Around = {
      ...around,
      reasons: [...reasons],
      assigned: [...around.assigned, ...command.assignments.map(({ name }) => name)],
    };
    const runs =
      command.words.length > 0 ? this.#words(command.words, command, place, true) : [this.#nothing(command, place)];
    return [...runs, ...this.all(inner, { ...around, reasons: [] })];
  }

  /** Assignments, redirections and texts with no program to them. */
  #nothing(command: Simple, around: Around): Run {
    return { ...shared(command, around), program: '', words: [], reasons: new Set(around.reasons) };
  }

  #words(words: readonly Word[], command: Simple, around: Around, outermost: boolean): readonly Run[] {
    const [first] = words;
    if (!first) return [];
    // Programs that run several others, in each other, multiply.
    if (++this.#found > mostPrograms) throw tooManyPrograms();
    const run = { ...shared(command, around), ...(outermost ? {} : { redirections: [] }) };
    const reasons = new Set<Reason>(around.reasons);
    const unknown = unknownProgram(first);
    for (const reason of unknown) reasons.add(reason);
    for (const word of words) for (const reason of word.reasons) reasons.add(reason);
    if (unknown.length > 0) return [{ ...run, program: '', words, reasons }];
    const program = baseName(first.value);
    for (const reason of builtinReasons(program, words)) reasons.add(reason);
    const code = runsCode(program, words, this.#terminal);
    if (code.does) reasons.add('interpreter');
    const wrapped = around.depth < deepest ? wrappers.get(program)?.(words) : undefined;
    if (around.depth >= deepest && wrappers.has(program)) reasons.add('nesting');
    const elevated = run.elevated || elevating.has(program);
    const self = (): Run => ({
      ...run,
      program: first.value,
      words,
      reasons,
      elevated,
      runsCode: code.able || wrappers.has(program),
      moves: changesDirectories(program),
    });
    if (!wrapped) return [self()];
    for (const reason of wrapped.reasons ?? []) reasons.add(reason);
    for (const { name, value } of wrapped.assigned ?? []) {
      if (tellsPrograms(name) || !keepsEncoding(name, value)) reasons.add('environment');
    }
    const inside: Around = {
      wrappers: [...around.wrappers, program],
      assigned: [...around.assigned, ...(wrapped.assigned ?? []).map(({ name }) => name)],
      reasons: [...around.reasons, ...(wrapped.innerReasons ?? [])],
      elevated: elevated || wrapped.elevated === true,
      moved: around.moved || wrapped.moved === true,
      depth: around.depth + 1,
    };
    const runs: Run[] = [];
    const text = wrapped.text === undefined ? [] : this.#text(wrapped.text, inside, reasons);
    for (const each of [wrapped.words ?? [], ...(wrapped.also ?? [])]) {
      for (const inner of this.#words(each, command, inside, false)) runs.push(inner);
    }
    return [self(), ...runs, ...text];
  }

  /** What can't be read is not known; the shell that gets it may still find something in it. */
  #text(text: string, inside: Around, reasons: Set<Reason>): readonly Run[] {
    if (/^\s*$/.test(text)) return [];
    return this.all(this.#read(text), inside).map((run) => {
      if (run.reasons.has('dialect')) reasons.add('dialect');
      return run;
    });
  }
}

function tooManyPrograms(): CommandError {
  return new CommandError(
    'too_large',
    `The command line runs more than ${mostPrograms} programs.`,
    'Put them into a script on the target, or send them in parts.',
  );
}

function shared(command: Simple, around: Around): Omit<Run, 'program' | 'words' | 'reasons'> {
  return {
    redirections: command.redirections,
    wrappers: around.wrappers,
    assigned: around.assigned,
    pipeline: command.pipeline,
    background: command.background,
    elevated: around.elevated,
    runsCode: false,
    moved: around.moved,
    moves: false,
  };
}

/** Why nobody can know which program a word in the place of one names; empty when it is known. */
function unknownProgram(word: Word): readonly Reason[] {
  const { value } = word;
  if (word.reasons.size > 0) return [...word.reasons];
  const home = word.expanded && /^~[\w.-]*\//.test(word.raw) && !/[*?[\]$`{}\\'"]/.test(word.raw);
  if (word.expanded && !home) return ['pattern'];
  if (value.startsWith('~') && !home) return ['name'];
  if (value === '' || value.endsWith('/')) return ['name'];
  return value.split('/').includes('..') ? ['directory'] : [];
}
