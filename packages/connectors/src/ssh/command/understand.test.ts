import type { Action } from '@sluice/core/domain/action.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sshDeclarations } from '../verbs.ts';
import { CommandError } from './error.ts';
import { understandCommand } from './understand.ts';

const none: ReadonlyMap<string, string> = new Map();

function meaning(text: string, environment = none): readonly Action[] {
  return understandCommand('web', text, environment);
}

/** `ls | cat!stdin | >web/etc/x`: programs in order, with why they are dynamic, and files. */
function said(text: string, environment = none): string {
  const actions = meaning(text, environment);
  const parts = actions.flatMap(({ verb, resources: [resource], context }, index) => {
    const reasons = (context['reasons'] as readonly string[]).join(',');
    const id = resource?.id ?? '';
    if (verb === 'ssh:exec') return [`${id.replace(/^web\//, '')}${reasons && `!${reasons}`}`];
    if (verb === 'ssh:file.read') return [`<${id}`];
    if (verb === 'ssh:file.write') return [`>${id}`];
    return actions[index - 1]?.verb === 'ssh:exec' && resource?.type === 'Command' ? [] : [`?!${reasons}`];
  });
  return parts.join(' ');
}

describe('the programs of a command line', () => {
  test.each([
    // Lists, pipelines, groups.
    ['ls', 'ls'],
    ['  ls  ', 'ls'],
    ['ls;', 'ls'],
    ['ls\n', 'ls'],
    ['a; b & c && d || e\nf', 'a b c d e f'],
    ['a | b |\n c', 'a b c'],
    ['(a; b) | { c; d; }', 'a b c d'],
    ['! a && b', 'a b'],
    ['if a; then b; elif c; then d; else e; fi | f', 'a b c d e f'],
    ['while a; do b; done; until c; do d; done', 'a b c d'],
    ['for x in 1 2; do a; done', 'a'],
    ['for x do a; done', 'a'],
    ['case x in a) b;; c|d) e;; *) f; esac', 'b e f'],
    ['case x in (a) b;; esac', 'b'],
    ['a # b; c\nd', 'a d'],
    ['a#b c', 'a#b'],
    ['a \\\n b\nc', 'a c'],
    // Quotes.
    ["'a'", 'a'],
    ['"a"b\'c\'', 'abc'],
    ["'a b' c", 'a b'],
    ['"a;b" ";" \'&\' \\; \\&', 'a;b'],
    ["a 'x\ny' b", 'a'],
    ['a "\\"" b', 'a'],
    ['[ x = y ] && a', '[ a'],
    ['test x == y', 'test'],
    ['a {} b', 'a'],
    ['a $ "$" $/x', 'a'],
    ['a *.c ~/x ?', 'a'],
    ['a $? $#', 'a'],
    // Named by a path.
    ['/bin/a', 'a'],
    ['/usr/local/sbin/a', 'a'],
    ['/opt/x/a', '/opt/x/a'],
    ['./a', './a'],
    ['x/a', 'x/a'],
    ['~/bin/a', '~/bin/a'],
    ['/usr/bin/../a', '?!directory'],
    ['cd /x; ./a', 'cd ./a!directory'],
    ["'~/bin/a'", '?!name'],
    ["''", '?!name'],
    // What can't be known.
    ['$a', '?!variable'],
    ['a $b', 'a!variable'],
    ['a "$b"', 'a!variable'],
    ['a ${b}', 'a!variable'],
    ['a ${b:-c}', 'a!variable'],
    ['a $(b c)', 'a!substitution b'],
    ['a "$(b | c)"', 'a!substitution b c'],
    ['a `b`', 'a!substitution b'],
    ['a $(b $(c))', 'a!substitution b!substitution c'],
    ['a $((1+2))', 'a!arithmetic'],
    ['/bin/a*', '?!pattern'],
    ['[ab]', '?!pattern'],
    ['x=$(a)', '?!environment a'],
    ['x=1 a', 'a!environment'],
    ['TZ=UTC a', 'a'],
    ['LC_ALL=ja_JP.SJIS a', 'a!environment'],
    ['x=1; a', 'a'],
    ['X=1; a', '?!environment a'],
    ['path=/x; a', '?!environment a'],
    ['for PATH in /x; do a; done', '?!environment a'],
    ['alias a=b; a', 'alias!shell_state a'],
    ['set -euo pipefail; a', 'set a'],
    ['set -a; a', 'set!shell_state a'],
    ['set -- a', 'set'],
    ['export A=1', 'export!environment'],
    ['export LANG=C', 'export'],
    ['. ./a', '.!script'],
    ["eval 'a; b'", 'eval!eval a!eval b!eval'],
    ["trap 'a' EXIT", 'trap!shell_state a'],
    ['exec >x', 'exec!redirection >web/~/x'],
    ["test 'a[$(b)]' -eq 1", 'test!arithmetic'],
    ["printf %d 'a[$(b)]'", 'printf!arithmetic'],
    ["echo 'a[$(b)]'", 'echo'],
    // Read as bash reads it, because others do not.
    ["$'\\x61'", 'a!dialect'],
    ['\\a', 'a!dialect'],
    ['a |& b', 'a!dialect b!dialect'],
    ['a &> x', 'a!dialect >web/~/x'],
    ['a <<< b', 'a!dialect'],
    ['a < <(b)', 'a!dialect,substitution b!dialect'],
    ['[[ -f a ]] && b', 'b!dialect'],
    ['a() { b; }; a', '?!dialect,function b!dialect a!dialect'],
    ['function a { b; }', '?!dialect,function b!dialect'],
    ['time a', 'a!dialect'],
    ['{a,b}', '?!braces,dialect'],
    ['a {b,c}', 'a!braces,dialect'],
    ['coproc a', 'a!dialect'],
    ['noglob a', 'noglob!dialect a!dialect'],
    ['and a', 'and!dialect a!dialect'],
    ['=a b', '=a!dialect'],
    ["a 'b\\' ; c", 'a!dialect c!dialect'],
    ['a 2>| b', 'a!dialect >web/~/b'],
    ['a 12> b', 'a!dialect >web/~/b'],
    ['x+=1; a', '?!dialect a!dialect'],
    // Behind others.
    ['sudo -u b a', 'sudo a'],
    ['sudo -iu b a', 'sudo!interpreter a!interpreter'],
    ['sudo --what a', 'sudo!option'],
    ['sudo $x a', 'sudo!option,variable'],
    ['sudo -- a -b', 'sudo a'],
    ['doas a', 'doas a'],
    ['su - b -c a', 'su a'],
    ['su b', 'su!stdin'],
    ['runuser -u b -- a c', 'runuser a'],
    ['env -i X=1 a', 'env!environment a'],
    ['env TZ=x a', 'env a'],
    ["env -S 'a b'", 'env!option a!option'],
    ['env', 'env'],
    ['nohup nice -n 5 timeout -k 1 5s stdbuf -oL a', 'nohup nice timeout stdbuf a'],
    ['xargs -0 -n1 a', 'xargs a!arguments'],
    ['xargs', 'xargs'],
    ['find . -exec a {} \\; -exec b {} +', 'find a!arguments b!arguments'],
    ['find . -name -exec -exec a \\;', 'find -exec!arguments a!arguments'],
    ['find . -name $x', 'find!arguments,variable'],
    ["sh -c 'a; b | c'", 'sh a b c'],
    ["bash -euo pipefail -c 'a'", 'bash a'],
    ['sh -c \'sh -c "a"\'', 'sh sh a'],
    ['sh -c "$x"', 'sh!option,variable'],
    ['sh +c a', 'sh!option'],
    ['sh', 'sh!stdin'],
    ['sh -s a', 'sh!stdin'],
    ['sh ./a', 'sh!script'],
    ['bash --rcfile x -c a', 'bash!option'],
    ['busybox a b', 'busybox a'],
    ['command -v a', 'command'],
    ['command a', 'command a'],
    ['exec a', 'exec a'],
    ['flock /x -c a', 'flock a'],
    ['flock /x a', 'flock a'],
    ['watch a b', 'watch!interpreter a!interpreter'],
    ['ssh b a', 'ssh!interpreter a!interpreter'],
    ['chroot /x a', 'chroot a!directory'],
    // Programs that run others.
    ["python3 -c 'x'", 'python3!interpreter'],
    ['python3.12 x', 'python3.12!interpreter'],
    ['vi x', 'vi!interpreter'],
    ["awk '{print $1}' x", 'awk'],
    ["awk -F: '{print $1}' x", 'awk'],
    ['awk \'{print > "x"}\'', 'awk!interpreter'],
    ["sed -n '1,5p' x", 'sed'],
    ["sed -e 's/a/b/g' -e '/x/d'", 'sed'],
    ["sed 's/a/b/w x'", 'sed!interpreter'],
    ['tar czf x y', 'tar'],
    ['tar -xzf x -C y', 'tar'],
    ['tar --to-command=a -xf x', 'tar!interpreter'],
    ['tar -cf host:x y', 'tar!interpreter'],
    ['git status', 'git'],
    ['git push', 'git!interpreter'],
    ['cd /x && git status', 'cd git!directory'],
    ['systemctl status x', 'systemctl'],
    ['systemctl restart x', 'systemctl!interpreter'],
    ['sort --co=a', 'sort!interpreter'],
    ['/lib64/ld-linux-x86-64.so.2 /bin/a', '/lib64/ld-linux-x86-64.so.2!interpreter'],
    // Files.
    ['a > x', 'a >web/~/x'],
    ['a >> /x/y 2>&1 < /z', 'a >web/x/y <web/z'],
    ['a <> /x', 'a <web/x >web/x'],
    ['a > ~/x', 'a >web/~/x'],
    ['a > /x/../y', 'a!directory >web/x/../y'],
    ['a > $x', 'a!variable'],
    ['a > x*', 'a!pattern'],
    ['a >/dev/null 2>&1 </dev/null', 'a'],
    ['a > /dev/tcp/b/1', 'a!redirection >web/dev/tcp/b/1'],
    ['(a; b) > x', 'a b >web/~/x'],
    ['cd /x; a > y', 'cd a!directory >web/~/y'],
    ['a > ./x//y', 'a >web/~/x/y'],
    // Here-documents.
    ["a <<'E'\n$(b)\nE\nc", 'a c'],
    ['a <<E\n$(b)\nE\nc', 'a!substitution b c'],
    ['a <<-E\n\tx\n\tE\nc', 'a c'],
    ['a <<A <<B\nA\nB\nc', 'a c'],
    ['a <<E && b\nx\nE', 'a b'],
    ['a <<E\nx', 'a!dialect'],
    ['a <<E | b\nx\nE\nc', 'a b c'],
  ])('%j are %s', (text, expected) => {
    expect(said(text)).toBe(expected);
  });

  test.each([
    ['', 'empty'],
    [' \t\n', 'empty'],
    ['# nothing', 'empty'],
    ['x=1', 'empty'],
    ['a "b', 'syntax'],
    ["a 'b", 'syntax'],
    ['a $(b', 'syntax'],
    ['a `b', 'syntax'],
    ['if a; then b', 'syntax'],
    ['a )', 'syntax'],
    ['a ;; b', 'syntax'],
    ['a &&', 'syntax'],
    ['| a', 'syntax'],
    ['-x', 'syntax'],
    ['a\rb', 'encoding'],
    ['a\0b', 'encoding'],
    ['a\u00a0b', 'encoding'],
    ['a \u202e b', 'encoding'],
    ['a \ufffd', 'encoding'],
    ['a'.repeat(70_000), 'too_large'],
    ['a;'.repeat(2_000), 'too_large'],
    [`${'( '.repeat(100)}a${')'.repeat(100)}`, 'too_complex'],
    [`${'$('.repeat(5_000)}a${')'.repeat(5_000)}`, 'too_complex'],
  ])('%j is refused: %s', (text, code) => {
    let found: unknown;
    try {
      meaning(text);
    } catch (error) {
      found = error instanceof CommandError ? error.code : error;
    }
    expect(found).toBe(code);
  });

  test('in another encoding than UTF-8 are refused, as a quote may be the half of a letter', () => {
    const elsewhere = new Map([['LC_ALL', 'ja_JP.SJIS']]);
    expect(() => meaning("a 'あ\\'", elsewhere)).toThrow(CommandError);
    expect(said('a b', elsewhere)).toBe('a');
    expect(said('a あ', new Map([['LANG', 'en_US.UTF-8']]))).toBe('a');
  });

  test('page what they print only at a terminal', () => {
    expect(said('git log', new Map([['TERM', 'xterm']]))).toBe('git!interpreter');
    expect(said('git --no-pager log', new Map([['TERM', 'xterm']]))).toBe('git');
    expect(said('journalctl', none)).toBe('journalctl');
  });
});

test('policy reads what is known of a command', () => {
  const actions = meaning("sudo -u db env LANG=C /usr/bin/pg_dump 'my db' --file=x > /out/dump < /in 2>/dev/null &");
  const dump = actions.find(({ context }) => context['program'] === 'pg_dump');
  expect(dump).toMatchObject({
    verb: 'ssh:exec',
    access: 'execute',
    resources: [{ type: 'Command', id: 'web/pg_dump', parent: { type: 'Target', id: 'web' } }],
    context: {
      program: 'pg_dump',
      program_path: '/usr/bin/pg_dump',
      arguments: ['--file=x', 'my db'],
      command_line: "/usr/bin/pg_dump 'my db' '--file=x'",
      wrappers: ['env', 'sudo'],
      environment: ['LANG'],
      dynamic: false,
      expanded: false,
      pipeline: false,
      background: true,
      elevated: true,
      runs_code: false,
      reasons: [],
    },
  });
  const written = actions.find(({ verb }) => verb === 'ssh:file.write');
  expect(written?.resources[0]).toMatchObject({
    type: 'Path',
    id: 'web/out/dump',
    parent: { id: 'web/out', parent: { id: 'web/', parent: { type: 'Target', id: 'web' } } },
  });
});

test('every action has the context that its verb declares, and no other', () => {
  const declared = new Map(sshDeclarations.actions.map(({ verb, context }) => [verb, Object.keys(context).sort()]));
  for (const text of ['a > x < y', '$a', 'eval b', 'sudo a | b']) {
    for (const { verb, context } of meaning(text)) expect(Object.keys(context).sort()).toEqual(declared.get(verb));
  }
});

test('the command line that policy reads is read back as the same words', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ab \'"\\$`;&|<>(){}*?~#=!\n'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const quoted = words.map((each) => `'${each.replaceAll("'", "'\\''")}'`);
      const [first] = meaning(['p', ...quoted].join(' '));
      const line = String(first?.context['command_line']);
      const [again] = meaning(line);
      expect(again?.context['command_line']).toBe(line);
      expect(again?.context['arguments']).toEqual([...new Set(words)].sort());
    }),
  );
});
