import { tellsPrograms, tellsShell } from './environment.ts';
import { isKnown } from './options.ts';
import type { Reason, Word } from './tree.ts';

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Builtins of some shell that change how the rest is read, or which programs its names mean. */
const stateful = names(
  'alias unalias hash rehash unhash enable disable shopt setopt unsetopt emulate zmodload autoload functions function ' +
    'bindkey complete compdef compgen compopt fc history bind caller suspend logout sched zle vared abbr funced ' +
    'limit unlimit login newgrp zcompile zstyle zparseopts zregexparse zpty ztcp hist alarm nameref fish_config argparse',
);
const scripts = names('. source');
const changesDirectory = names('cd pushd popd chdir');
const assigns = names('export readonly declare typeset local integer float');
const reads = names('read readarray mapfile getopts unset select set_color');

/** Builtins that some shell hands its arguments to as arithmetic, where `a[$(command)]` runs a command. */
const computing = names(
  'test [ shift exit return break continue wait kill ulimit umask read unset getopts export readonly typeset declare ' +
    'local cd pushd popd jobs bg fg disown times sleep mapfile readarray',
);

export function changesDirectories(program: string): boolean {
  return changesDirectory.has(program);
}

/** Why a command that the shell may carry out itself can't be known, or makes others unknown. */
export function builtinReasons(program: string, words: readonly Word[]): readonly Reason[] {
  const args = words.slice(1);
  if (stateful.has(program)) return ['shell_state'];
  if (scripts.has(program)) return ['script'];
  if (program === 'let') return ['arithmetic'];
  const reasons: Reason[] = [];
  if (program === 'set' && !setsOnlyHarmless(args)) reasons.push('shell_state');
  if (assigns.has(program)) reasons.push(...assigning(args));
  if (reads.has(program) && args.some((word) => !isKnown(word) || tellsShell(word.value))) reasons.push('environment');
  // bash runs a command there.
  if (program === 'jobs' && args.some(({ value }) => value.startsWith('-x'))) reasons.push('eval');
  if (program === 'unset' && args.some(({ value }) => /^-.*f/.test(value))) reasons.push('shell_state');
  if (program === 'printf') reasons.push(...printing(args));
  if (computing.has(program) && args.some(({ value }) => /[$`]/.test(value))) reasons.push('arithmetic');
  // Whether a variable is there: bash computes its index.
  if ((program === 'test' || program === '[') && args.some(({ value }) => value === '-v' || value === '-R'))
    reasons.push('arithmetic');
  return reasons;
}

/** `set -euo pipefail` and the like; `--` only changes what the variables are. */
function setsOnlyHarmless(args: readonly Word[]): boolean {
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (!word || !isKnown(word)) return false;
    if (word.value === '--') return true;
    if (/^[-+][euxv]+$/.test(word.value)) continue;
    if (!/^[-+][euxv]*o$/.test(word.value)) return false;
    if (!/^(?:pipefail|errexit|nounset|xtrace|verbose)$/.test(args[++at]?.value ?? '')) return false;
  }
  return args.length > 0;
}

function assigning(args: readonly Word[]): readonly Reason[] {
  const reasons = new Set<Reason>();
  for (const word of args) {
    const name = /^\w+(?==|$)/.exec(word.value)?.[0];
    if (word.value === '-p' || word.value === '-x' || word.value === '--') continue;
    if (name === undefined) reasons.add('shell_state');
    else if (tellsPrograms(name)) reasons.add('environment');
  }
  return [...reasons];
}

function printing(args: readonly Word[]): readonly Reason[] {
  const [first] = args;
  const reasons: Reason[] = [];
  if (first?.value.startsWith('-v')) reasons.push('environment');
  if (args.some(({ value }) => value.includes('[') && /[$`]/.test(value))) reasons.push('arithmetic');
  return reasons;
}
