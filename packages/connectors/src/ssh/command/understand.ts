import type { Action, Context } from '@sluice/core/domain/action.ts';
import { targetResource } from '@sluice/core/domain/resource.ts';
import { baseName, commandResource, pathResource } from '../resources.ts';
import { type SshVerb, sshVerbs } from '../verbs.ts';
import { admit } from './admit.ts';
import { CommandError, NotPortable } from './error.ts';
import { isKnown } from './options.ts';
import { readPortable } from './portable/commands.ts';
import { quote } from './quote.ts';
import { type Run, resolve } from './resolve.ts';
import type { Reason, Redirection, Simple, Word } from './tree.ts';
import { readWide } from './wide.ts';

/** Most actions that one command line may mean. */
const mostActions = 1_000;

/**
 * What a command line means: one `ssh:exec` per program in it, wherever it stands; one `ssh:file.read` or
 * `ssh:file.write` per redirection; and an `ssh:dynamic` beside each of them of which something can't be known before
 * it runs. Never empty. `environment` is what the client has set for it, with TERM if it asked for a terminal. Throws `CommandError` for what can't be read.
 */
export function understandCommand(
  target: string,
  text: string,
  environment: ReadonlyMap<string, string>,
): readonly Action[] {
  const runs = resolve(read(text, environment), (inner) => read(inner, environment), environment.has('TERM'));
  const actions = new Meaning(target, text, environment, runs).actions();
  if (actions.length === 0) {
    throw new CommandError('empty', 'The command line runs nothing.', 'Name a program, or open a shell.');
  }
  if (actions.length > mostActions) {
    throw new CommandError(
      'too_large',
      `The command line means more than ${mostActions} actions.`,
      'Put them into a script on the target, or send them in parts.',
    );
  }
  return actions;
}

function read(text: string, environment: ReadonlyMap<string, string>): readonly Simple[] {
  admit(text, environment);
  try {
    return readPortable(text);
  } catch (error) {
    if (error instanceof NotPortable) return readWide(text);
    throw error;
  }
}

/** They hold nothing, or what the command was given anyway. */
const ownFiles = /^\/dev\/(?:null|stdin|stdout|stderr|fd\/\d)$/;

class Meaning {
  readonly #target: string;
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;
  readonly #runs: readonly Run[];
  readonly #moved: boolean;

  constructor(target: string, text: string, environment: ReadonlyMap<string, string>, runs: readonly Run[]) {
    this.#target = target;
    this.#text = text;
    this.#environment = environment;
    this.#runs = runs;
    this.#moved = runs.some((run) => run.moves);
  }

  actions(): readonly Action[] {
    return this.#runs.flatMap((run) => this.#of(run));
  }

  #of(run: Run): readonly Action[] {
    const moved = this.#moved || run.moved;
    const reasons = new Set(run.reasons);
    if (run.program.includes('/') && !/^[/~]/.test(run.program) && moved) reasons.add('directory');
    // It obeys what is written in the directory where it starts.
    if (baseName(run.program) === 'git' && moved) reasons.add('directory');
    const files = run.redirections.filter(({ target }) => !(isKnown(target) && ownFiles.test(target.value)));
    for (const { target } of files) for (const reason of pathReasons(target, moved)) reasons.add(reason);
    const context = this.#context(run, reasons);
    const known = run.program === '' ? undefined : commandResource(this.#target, run.program);
    const actions: Action[] = [];
    const act = (verb: SshVerb, resource: Action['resources'][number]) =>
      actions.push({ verb, access: sshVerbs[verb].access, resources: [resource], text: this.#text, context });
    if (known) act('ssh:exec', known);
    if (reasons.size > 0) act('ssh:dynamic', known ?? targetResource(this.#target));
    for (const { direction, target } of files) {
      const path = pathOf(target);
      if (path === undefined) continue;
      if (direction !== 'write') act('ssh:file.read', pathResource(this.#target, path));
      if (direction !== 'read') act('ssh:file.write', pathResource(this.#target, path));
    }
    return actions;
  }

  #context(run: Run, reasons: ReadonlySet<Reason>): Context {
    const { words, program } = run;
    return {
      program: baseName(program),
      program_path: program.includes('/') ? program : '',
      arguments: sorted(words.slice(1).flatMap((word) => (isKnown(word) ? [word.value] : []))),
      command_line: words.map((word) => (isKnown(word) ? quote(word.value) : word.raw)).join(' '),
      writes: sorted(paths(run.redirections, 'read')),
      reads: sorted(paths(run.redirections, 'write')),
      wrappers: sorted(run.wrappers),
      environment: sorted([...this.#environment.keys(), ...run.assigned]),
      dynamic: reasons.size > 0,
      expanded: words.some((word) => word.expanded),
      pipeline: run.pipeline,
      background: run.background,
      elevated: run.elevated,
      runs_code: run.runsCode,
      reasons: sorted(reasons),
    };
  }
}

function paths(redirections: readonly Redirection[], not: Redirection['direction']): readonly string[] {
  return redirections.flatMap(({ direction, target }) => (direction === not ? [] : [target.value]));
}

/** Where a redirection leads, as far as a resource can say it; undefined when nobody can know. */
function pathOf(target: Word): string | undefined {
  if (target.reasons.size > 0) return undefined;
  if (!target.expanded) return target.value;
  // The home directory is where the command starts, too.
  return /^~\/[^*?[\]]*$/.test(target.raw) && !target.quoted ? target.value.slice(2) : undefined;
}

function pathReasons(target: Word, moved: boolean): readonly Reason[] {
  const reasons = new Set<Reason>(target.reasons);
  const { value } = target;
  if (target.expanded && pathOf(target) === undefined) reasons.add('pattern');
  if (value.split('/').includes('..')) reasons.add('directory');
  if (moved && !value.startsWith('/') && !target.expanded) reasons.add('directory');
  // bash opens a connection; the others have no such file.
  if (/^\/dev\/(?:tcp|udp)\//.test(value)) reasons.add('redirection');
  if (value === '') reasons.add('name');
  return [...reasons];
}

function sorted(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].sort();
}
