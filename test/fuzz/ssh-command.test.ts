/**
 * Command lines made at random, run by the real shells of this machine: whatever program ran, with whatever arguments,
 * must have been said before, or the command line must have been called dynamic or refused. The programs are stubs that
 * note how they were called; nothing else is on the shells' path.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '@sluice/connectors/ssh/command/error.ts';
import { quote } from '@sluice/connectors/ssh/command/quote.ts';
import { understandCommand } from '@sluice/connectors/ssh/command/understand.ts';
import type { Action } from '@sluice/core/domain/action.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const shells = ['bash', 'dash', 'zsh', 'ksh', 'mksh', 'busybox'].flatMap((name) => {
  const path = ['/usr/bin', '/bin', '/usr/local/bin'].map((folder) => join(folder, name)).find(existsSync);
  return path ? [{ name, path, before: name === 'busybox' ? ['sh'] : [] }] : [];
});

const timer = ['/usr/bin/timeout', '/bin/timeout'].find((path) => existsSync(path));

const stubs = ['p', 'q', 'rm', 'no'];
const real = ['env', 'nohup', 'nice', 'timeout', 'sh', 'bash'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-shell-'));
  mkdirSync(join(folder, 'bin'));
  for (const stub of stubs) {
    const path = join(folder, 'bin', stub);
    const code = stub === 'no' ? 1 : 0;
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\001' "\${0##*/}" "$@" '\u0002' >&3\nexit ${code}\n`);
    chmodSync(path, 0o755);
  }
  for (const name of real) {
    const path = ['/usr/bin', '/bin'].map((each) => join(each, name)).find(existsSync);
    if (path) symlinkSync(path, join(folder, 'bin', name));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How the stubs were called, each as one canonical line. What is left in the background is waited for. */
function ran(shell: (typeof shells)[number], text: string): readonly string[] {
  const home = join(folder, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  // It ends everything that the shell left, too: a loop in the background would go on for ever.
  const { output } = spawnSync(timer ?? '', ['-s', 'KILL', '5', shell.path, ...shell.before, '-c', text], {
    cwd: home,
    env: { PATH: join(folder, 'bin'), HOME: home },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  return String(output?.[3] ?? '')
    .split('\u0002\u0001')
    .filter((call) => call !== '')
    .map((call) => call.split('\u0001').slice(0, -1).map(quote).join(' '));
}

function meant(text: string): readonly Action[] | undefined {
  try {
    return understandCommand('web', text, new Map());
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Reasons with which the programs are known, though not their arguments. */
const ofArguments = new Set(['substitution', 'variable', 'arithmetic', 'arguments']);

let executed = 0;

function holds(text: string): void {
  const actions = meant(text);
  if (!actions) return;
  const reasons = new Set(actions.flatMap(({ context }) => context['reasons'] as readonly string[]));
  if ([...reasons].some((reason) => !ofArguments.has(reason))) return;
  if (actions.some(({ verb, context }) => verb === 'ssh:dynamic' && context['program'] === '')) return;
  const lines = new Set(actions.map(({ context }) => context['command_line']));
  const programs = new Set(actions.map(({ context }) => context['program']));
  const open = new Set(
    actions
      .filter(({ context }) => context['expanded'] === true || context['dynamic'] === true)
      .map(({ context }) => context['program']),
  );
  for (const shell of shells) {
    const calls = ran(shell, text);
    if (calls.length > 0) executed++;
    for (const call of calls) {
      const [program = ''] = call.split(' ');
      if (!programs.has(program) || !(lines.has(call) || open.has(program))) {
        expect.fail(`${shell.name} ran ${call}, of ${JSON.stringify(text)}; said: ${[...lines].join(' ; ')}`);
      }
    }
  }
}

const tokens = (
  'p|p |q |rm |no |p x|p |q x| | |\n|;|; |&|& |&&| && |||| | |(|)|{|}|{ |; }|; };|<|>|>>|>a|<a| <<E\n|\nE\n|<<E|<<-E|E\n|' +
  '\'|\'|"|"|`|`|\\|\\\n|\\ |\\;|\\"|\\\'|\\$|$|$(|${x}|$x|$?|$#|${x:-p}|$((1))|#| #|!|! |if |; then |; else |; fi|for x in |' +
  '; do |; done|case p in |p)| ;; |esac|=|x=|y=1 |~|*|?|[|]|1|2|2>|2>&1|>&|>&2|&>|&|<<<|<(|>(|$\'|$"|\\n|\\x|-|--|time |[[ | ]]|' +
  'function |p()|() |coproc |select |eval |env |env x=1 |nohup |nice |timeout 9 |sh -c |bash -c |exec |command |builtin |' +
  'alias |trap |.|\t|  |until p|; while no|,|{p,q}|^|%|@|+|:|a|\u00e9|in |do |done|then |fi|/dev/null|>/dev/null'
).split('|');
tokens.push('|', '|', '||', ' | ', ' || ', '|&', '>|');

const soup = fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 14 }).map((parts) => parts.join(''));

const joined = (parts: readonly string[]) => parts.join(' ');
const anyWord = fc.constantFrom(
  ...['x', 'y', '-f', 'a=b', '2', 'E', '{}', '~', '[', ']', '=', '==', '!', 'if', 'done', ':', '1.0', 'a#b', 'é'],
  ...[
    "'a b'",
    '"a b"',
    "'$(q)'",
    '"\\$(q)"',
    '\\;',
    "''",
    '""',
    "'a'\\''b'",
    '"a\\"b"',
    '"#x"',
    "'\n'",
    "'`q`'",
    "'#'",
  ],
  ...['a\\ b', '"a\'b"', "'a\"b'", '"\\a"', "'\\a'", '\\#', '\\"', 'x"y"\'z\'', '$', 'a$', '"$"', '"$ "', '$?', '"$#"'],
  ...["'; q #'", '"; q"', "'|q'", '"&& q"', "'\n q'", '\\&', '\\|', '\\>', '\\ ', "';'", "a'&'q", '*', 'a?', '[x]'],
);
const plainCommand = fc.oneof(
  fc.tuple(fc.constantFrom('p', 'q', 'rm', 'no', '"p"', "'q'", "r''m", 'TZ=1 p'), anyWord, anyWord).map(joined),
  fc.tuple(fc.constantFrom('p', 'q', 'rm', 'no'), anyWord).map(joined),
  fc
    .tuple(
      fc.constantFrom('p', 'q'),
      fc.constantFrom('>a', '2>&1', '>>b', '</dev/null', '2>/dev/null >a', '<>c', '1>&2 x'),
    )
    .map(joined),
);
const between = fc.constantFrom(';', ' && ', ' || ', ' & ', '\n', '|', ' |\n', '&&\n', ';\n\n', ' ; ');
/** No quotes of its own kind within: it can stand in quotes. */
const flat = fc.tuple(plainCommand, between, plainCommand).map((parts) => parts.join(''));

/** Texts that mean something more often than a soup does. */
const { list } = fc.letrec<{ word: string; command: string; list: string }>((tie) => ({
  word: fc.oneof(
    { maxDepth: 2 },
    anyWord,
    anyWord,
    tie('list').map((inner) => `$(${inner})`),
    flat.map((inner) => `"$(${inner})"`),
    flat.map((inner) => `'${inner.replaceAll("'", '"')}'`),
  ),
  command: fc.oneof(
    { maxDepth: 3 },
    plainCommand,
    fc.tuple(fc.constantFrom('p', 'q', 'rm'), tie('word'), tie('word')).map(joined),
    tie('list').map((inner) => `(${inner})`),
    tie('list').map((inner) => `{ ${inner}; }`),
    tie('list').map((inner) => `{ ${inner}; } >a`),
    fc.tuple(tie('list'), tie('list')).map(([test, then]) => `if ${test}; then ${then}; else p; fi`),
    tie('list').map((inner) => `for x in a b; do ${inner}; done`),
    tie('list').map((inner) => `case p in q) ${inner};; p|r) ${inner};; esac`),
    tie('list').map((inner) => `while no; do ${inner}; done`),
    tie('list').map((inner) => `! (${inner})`),
    fc
      .tuple(
        fc.constantFrom('env', 'nohup', 'nice -n 1', 'timeout 9', 'command', 'exec', 'env TZ=1', 'nice -2'),
        plainCommand,
      )
      .map(joined),
    fc
      .tuple(fc.constantFrom('sh -c', 'bash -c', 'sh -ec', 'bash --norc -c'), flat)
      .map(([shell, inner]) => `${shell} ${quote(inner)}`),
    flat.map((inner) => `{ q <<'E'\n${inner}\nE\n}`),
    flat.map((inner) => `{ q <<E\n${inner.replaceAll('`', '')}\nE\n}`),
    flat.map((inner) => `{ q <<-E;${inner.replaceAll('\n', ' ')}\nx\n\tE\n}`),
  ),
  list: fc.oneof(
    tie('command'),
    fc.tuple(tie('command'), between, tie('command')).map((parts) => parts.join('')),
  ),
}));

/** A text with some of it cut out, doubled, or with a token put into it. */
const disturbed = fc
  .tuple(list, fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom(...tokens)), { minLength: 1, maxLength: 3 }))
  .map(([text, cuts]) =>
    cuts.reduce((now, [at, length, token]) => {
      const place = at % (now.length + 1);
      return now.slice(0, place) + token + now.slice(place + (length > 2 ? 0 : length));
    }, text),
  );

const only = shells.length > 0 && timer ? test : test.skip;
const why =
  shells.length > 0 && timer
    ? `in ${shells.map(({ name }) => name).join(', ')}`
    : '(skipped: no shell, or no timeout, on this machine)';
const runs = Number(process.env['SLUICE_FUZZ_RUNS'] ?? 250);
const seed = process.env['SLUICE_FUZZ_SEED'] === undefined ? {} : { seed: Number(process.env['SLUICE_FUZZ_SEED']) };

describe('a command line that is called known runs nothing but what was said', () => {
  only(`when it is well made, ${why}`, { timeout: 600_000 }, () => {
    fc.assert(fc.property(list, holds), { numRuns: runs, ...seed });
  });

  only(`when it was disturbed, ${why}`, { timeout: 600_000 }, () => {
    fc.assert(fc.property(disturbed, holds), { numRuns: runs * 4, ...seed });
  });

  only(`when it is a soup of what shells care for, ${why}`, { timeout: 600_000 }, () => {
    fc.assert(fc.property(soup, holds), { numRuns: runs * 20, ...seed });
  });

  only('and enough of them were really run', () => {
    expect(executed).toBeGreaterThan(runs);
  });
});

describe('reading a command line', () => {
  test('never fails but by refusing, whatever it is given', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        meant(text);
      }),
      { numRuns: runs * 10 },
    );
  });

  test('never calls known what holds a character that only some see', () => {
    fc.assert(
      fc.property(
        soup,
        fc.constantFrom('\0', '\r', '\u001b', '\u00a0', '\u200b', '\u202e', '\ufeff', '\ud800', '\u3000'),
        (text, char) => {
          expect(meant(`p ${text}${char}`)).toBeUndefined();
        },
      ),
    );
  });
});
