import { isKnown, type OptionForm, skipOptions } from './options.ts';
import type { Reason, Word } from './tree.ts';

/** What a program runs, as far as its arguments say. */
export interface Wrapped {
  /** The words of the command that it runs. */
  readonly words?: readonly Word[];
  /** More such commands. */
  readonly also?: readonly (readonly Word[])[];
  /** A text that it gives to a shell. */
  readonly text?: string;
  /** Why the program in front can't be known. */
  readonly reasons?: readonly Reason[];
  /** Why what it runs can't be known. */
  readonly innerReasons?: readonly Reason[];
  /** Variables that it sets for what it runs. */
  readonly assigned?: readonly { readonly name: string; readonly value: string }[];
  readonly elevated?: true;
  /** What it runs starts in another directory. */
  readonly moved?: true;
}

type Unwrap = (words: readonly Word[]) => Wrapped;

const nothingKnown: Wrapped = { reasons: ['option'] };

/** A program that runs the rest of its arguments. */
function prefix(form: OptionForm, more: Omit<Wrapped, 'words' | 'assigned'> = {}): Unwrap {
  return (words) => {
    const skipped = skipOptions(words, form);
    if (!skipped) return { ...nothingKnown, ...(more.elevated ? { elevated: true } : {}) };
    return { ...more, words: words.slice(skipped.at), assigned: skipped.assigned };
  };
}

const sudo: Unwrap = (words) => {
  const skipped = skipOptions(words, {
    flags: 'AbBEeHiKklNnPSsVv',
    values: 'CDghpRrTtUu',
    longFlags: ['non-interactive', 'set-home', 'preserve-env', 'stdin', 'list', 'login', 'shell', 'version', 'edit'],
    longValues: ['user', 'group', 'host', 'prompt', 'chdir', 'preserve-env', 'close-from'],
    assignments: true,
    mixed: true,
  });
  if (!skipped) return { ...nothingKnown, elevated: true };
  const inner = words.slice(skipped.at);
  const has = (...names: string[]) => skipped.options.some((option) => names.includes(option));
  // sudoedit runs an editor; -s and -i put a shell between; -R another root, where names mean other programs.
  const reasons: Reason[] = [];
  if (has('e', 'edit', 's', 'i', 'shell', 'login')) reasons.push('interpreter');
  if (has('R', 'D', 'chdir')) reasons.push('directory');
  return { words: inner, assigned: skipped.assigned, elevated: true, moved: true, reasons, innerReasons: reasons };
};

/** su and runuser: everything but the user is an option, wherever it stands. */
const su: Unwrap = (words) => {
  let text: string | undefined;
  let user = false;
  for (let at = 1; at < words.length; at++) {
    const word = words[at];
    if (!word || !isKnown(word)) return { ...nothingKnown, elevated: true };
    const { value } = word;
    const next = words[at + 1];
    const attached = /^--command=(.*)$/s.exec(value);
    if (attached) text = attached[1];
    else if (value === '-c' || value === '--command') {
      if (!next || !isKnown(next)) return { reasons: ['eval'], elevated: true };
      text = next.value;
      at++;
    } else if (value === '-u' || value === '--user') {
      // runuser -u runs the rest without a shell.
      return { words: words.slice(words[at + 2]?.value === '--' ? at + 3 : at + 2), elevated: true, moved: true };
    } else if (/^(?:-|-l|--login|-m|-p|--preserve-environment|-P|--pty)$/.test(value)) continue;
    else if (!value.startsWith('-') && !user) user = true;
    else return { ...nothingKnown, elevated: true };
  }
  return text === undefined ? { reasons: ['stdin'], elevated: true } : { text, elevated: true, moved: true };
};

/** XCU sh, and the options that shells have in common. */
const shell: Unwrap = (words) => {
  let command = false;
  let stdin = false;
  let at = 1;
  for (; at < words.length; at++) {
    const word = words[at];
    if (!word || !isKnown(word)) return { reasons: ['option'] };
    const { value } = word;
    if (value === '--' || value === '-') {
      at++;
      break;
    }
    if (/^--(?:login|norc|noprofile|posix|verbose)$/.test(value)) continue;
    if (!/^[-+]./.test(value)) break;
    if (!/^(?:-[euxvfnlicphmbCEsToP]+|\+[euxvfnhmbCETo]+)$/.test(value)) return nothingKnown;
    if (value.includes('c')) command = true;
    if (value.includes('s')) stdin = true;
    if (value.includes('o')) {
      const name = words[++at]?.value ?? '';
      if (!/^(?:pipefail|errexit|nounset|xtrace|noglob|noclobber)$/.test(name)) return nothingKnown;
    }
  }
  const first = words[at];
  if (command) {
    if (!first) return nothingKnown;
    return isKnown(first) ? { text: first.value } : { reasons: ['eval'] };
  }
  return { reasons: [first && !stdin ? 'script' : 'stdin'] };
};

/** Most commands that one find is looked into for. */
const mostFindCommands = 50;

const find: Unwrap = (words) => {
  const also: Word[][] = [];
  // What is expanded may turn out to be -exec.
  if (words.slice(1).some((word) => word.expanded || word.reasons.size > 0)) return { reasons: ['arguments'] };
  // Every one of them, as one could stand where it is the argument of something else.
  for (let at = 1; at < words.length; at++) {
    if (!/^-(?:exec|execdir|ok|okdir)$/.test(words[at]?.value ?? '')) continue;
    const end = words.findIndex(
      (word, index) => index > at && (word.value === ';' || (word.value === '+' && words[index - 1]?.value === '{}')),
    );
    also.push(words.slice(at + 1, end === -1 ? undefined : end));
    if (also.length > mostFindCommands) return { reasons: ['arguments'] };
  }
  return { also, innerReasons: ['arguments'], moved: true };
};

const env: Unwrap = (words) => {
  const split = words.findIndex((word, index) => index > 0 && /^(?:-[i0v]*S|--split-string)/.test(word.value));
  if (split !== -1) {
    const text = (words[split]?.value.replace(/^(?:-[i0v]*S|--split-string=?)/, '') || words[split + 1]?.value) ?? '';
    return { ...nothingKnown, text, innerReasons: ['option'] };
  }
  return prefix({
    flags: 'i0v',
    values: 'u',
    longFlags: ['ignore-environment', 'null', 'debug'],
    longValues: ['unset'],
    assignments: true,
    dash: true,
  })(words);
};

const command: Unwrap = (words) => {
  const looksUp = words.slice(1).some((word, index) => index === 0 && /^-p?[vV]$/.test(word.value));
  return looksUp ? {} : prefix({ flags: 'p' })(words);
};

const exec: Unwrap = (words) => {
  const inner = prefix({ flags: 'cl', values: 'a' })(words);
  return inner.words?.length === 0 ? { reasons: ['redirection'] } : inner;
};

/** Runs its arguments as one text, or, with some option, as words; never quite as they stand. */
function textOfRest(form: OptionForm, more: Omit<Wrapped, 'text'>): Unwrap {
  return (words) => {
    const skipped = skipOptions(words, form);
    const rest = words.slice(skipped?.at ?? words.length);
    const inner = rest.length > 0 ? { text: rest.map(({ value }) => value).join(' ') } : {};
    return { ...more, ...inner, ...(skipped ? {} : nothingKnown) };
  };
}

const flock: Unwrap = (words) => {
  const form: OptionForm = {
    flags: 'snuxeoFv',
    values: 'wE',
    longFlags: ['shared', 'exclusive', 'nonblock', 'nb', 'unlock', 'close', 'no-fork', 'verbose'],
    longValues: ['timeout', 'wait', 'conflict-exit-code'],
    positional: 1,
  };
  const skipped = skipOptions(words, form);
  if (!skipped) return nothingKnown;
  const rest = words.slice(skipped.at);
  if (!/^(?:-c|--command)$/.test(rest[0]?.value ?? '')) return { words: rest };
  const text = rest[1];
  return text && isKnown(text) ? { text: text.value } : { reasons: ['eval'] };
};

const applets: Unwrap = (words) => {
  const [, first] = words;
  if (!first) return {};
  return isKnown(first) && first.value.startsWith('-') ? nothingKnown : { words: words.slice(1) };
};

const evaluated: Unwrap = (words) => {
  const rest = words.slice(words[1]?.value === '--' ? 2 : 1);
  return rest.every(isKnown) && rest.length > 0
    ? { reasons: ['eval'], text: rest.map(({ value }) => value).join(' '), innerReasons: ['eval'] }
    : { reasons: ['eval'] };
};

const trap: Unwrap = (words) => {
  const [, first] = words;
  const code = first && isKnown(first) && words.length > 2 && !/^(?:-|\d+|)$/.test(first.value);
  return { reasons: ['shell_state'], ...(code ? { text: first.value } : {}) };
};

const nothing = prefix({});

/** Programs that run others, by the name they go by. */
export const wrappers: ReadonlyMap<string, Unwrap> = new Map<string, Unwrap>([
  ['sudo', sudo],
  ['doas', prefix({ flags: 'Lns', values: 'aCu' }, { elevated: true, moved: true })],
  [
    'pkexec',
    prefix(
      { longFlags: ['disable-internal-agent', 'keep-cwd'], longValues: ['user'] },
      { elevated: true, moved: true },
    ),
  ],
  ['su', su],
  ['runuser', su],
  ['env', env],
  ['nohup', prefix({})],
  ['setsid', prefix({ flags: 'cfw', longFlags: ['ctty', 'fork', 'wait'] })],
  ['nice', prefix({ values: 'n', numeric: true, longValues: ['adjustment'] })],
  ['ionice', prefix({ flags: 't', values: 'cn', longFlags: ['ignore'], longValues: ['class', 'classdata'] })],
  [
    'timeout',
    prefix({
      flags: 'fv',
      values: 'sk',
      longFlags: ['foreground', 'preserve-status', 'verbose'],
      longValues: ['signal', 'kill-after'],
      positional: 1,
    }),
  ],
  ['stdbuf', prefix({ values: 'ioe', longValues: ['input', 'output', 'error'] })],
  ['time', prefix({ flags: 'pvaqlh', values: 'of' })],
  ['taskset', prefix({ flags: 'ac', longFlags: ['cpu-list', 'all-tasks'], positional: 1 })],
  ['chrt', prefix({ flags: 'bfiorR', positional: 1 })],
  [
    'chroot',
    prefix(
      { longFlags: ['skip-chdir'], longValues: ['userspec', 'groups'], positional: 1 },
      { elevated: true, innerReasons: ['directory'] },
    ),
  ],
  [
    'xargs',
    prefix(
      {
        flags: '0rtpxo',
        values: 'adEILnPs',
        longFlags: ['null', 'no-run-if-empty', 'verbose', 'interactive', 'exit', 'open-tty'],
        longValues: ['arg-file', 'delimiter', 'max-lines', 'max-args', 'max-procs', 'max-chars', 'replace', 'eof'],
      },
      { innerReasons: ['arguments'] },
    ),
  ],
  ['find', find],
  ['flock', flock],
  [
    'watch',
    textOfRest(
      { flags: 'bcdegtwx', values: 'n', longFlags: ['beep', 'color', 'differences', 'errexit', 'no-title', 'exec'] },
      { reasons: ['interpreter'], innerReasons: ['interpreter'] },
    ),
  ],
  [
    'ssh',
    textOfRest(
      { flags: '46AaCfGgKkMNnqsTtVvXxYy', values: 'BbcDEeFIiJLlmOoPpQRSWw', positional: 1 },
      { reasons: ['interpreter'], innerReasons: ['interpreter'], moved: true },
    ),
  ],
  ['busybox', applets],
  ['toybox', applets],
  ['command', command],
  ['builtin', nothing],
  ['exec', exec],
  ['eval', evaluated],
  ['trap', trap],
  // What zsh and fish put in front of a command.
  ...['noglob', 'nocorrect', '-', 'and', 'or', 'not', 'begin'].map((name): [string, Unwrap] => [name, nothing]),
  ...['sh', 'bash', 'dash', 'zsh', 'ksh', 'ksh93', 'mksh', 'ash', 'rbash', 'lksh', 'posh', 'yash'].map(
    (name): [string, Unwrap] => [name, shell],
  ),
]);

/** Programs that change as whom the rest runs. */
export const elevating: ReadonlySet<string> = new Set(['sudo', 'doas', 'su', 'runuser', 'pkexec', 'chroot']);
