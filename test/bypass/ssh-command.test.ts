/**
 * Ways to have a program run that policy does not permit, each sent to a real gateway in front of a real OpenSSH server.
 * Everything here would make a file, had it run.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway, sshTarget } from '../harness/ssh-gateway.ts';
import { findSshd } from '../harness/sshd.ts';

const sshd = findSshd();

let folder: string;
let gateway: SshGateway;
let client: Client;

/** Programs that policy permits, and no others; nothing dynamic. */
const permitted =
  'ls cat echo printf true false test cd env nohup timeout nice xargs find sed awk tar git sort sh bash busybox dd tee head ' +
  'sudo command exec export read set grep base64 vi man ssh rsync curl python3 perl eval trap alias time';

beforeAll(async () => {
  if (!sshd.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-commands-'));
  const commands = permitted.split(' ').map((name) => `Command::"web/${name}"`);
  gateway = await createSshGateway({
    policies: `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("run") permit (principal, action == Action::"ssh:exec", resource) when { [${commands.join(', ')}].contains(resource) };
@id("files") permit (principal, action in [Action::"ssh:file.read", Action::"ssh:file.write"], resource in Path::"web${folder}/open");
@id("no-elevation") forbid (principal, action, resource) when { context has elevated && context.elevated };
`,
  });
  client = await connect({ sub: 'agent', groups: ['agents'] });
});

afterAll(async () => {
  client?.end();
  await gateway?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  if (!sshd.there) return;
  await rm(join(folder, 'open'), { recursive: true, force: true });
  await rm(marker(), { force: true });
  await mkdir(join(folder, 'open'));
  await writeFile(join(folder, 'open', 'script'), `touch ${marker()}\n`, { mode: 0o755 });
  await handToServer(folder);
});

const marker = () => join(folder, 'marker');

async function connect(claims: { sub: string; groups: string[] }): Promise<Client> {
  const login = await gateway.login(claims);
  const { host, port } = gateway.gateway.at('ssh');
  const made = new Client();
  await new Promise<void>((resolve, reject) => {
    made.once('ready', resolve).once('error', reject);
    made.connect({ host, port, username: sshTarget, password: `${login.credential}:${login.secret}` });
  });
  return made;
}

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function exec(text: string, input = ''): Promise<Result> {
  return new Promise((resolve, reject) => {
    client.exec(text, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let stdout = '';
      let stderr = '';
      let status: number | null = null;
      channel.on('data', (bytes: Buffer) => {
        stdout += bytes;
      });
      channel.stderr.on('data', (bytes: Buffer) => {
        stderr += bytes;
      });
      channel.on('exit', (code: number | null) => {
        status = code;
      });
      channel.on('close', () => resolve({ status, stdout, stderr }));
      channel.end(input);
    });
  });
}

describe.skipIf(!sshd.there)(needing(sshd, 'a command line'), () => {
  test.each([
    ['echo hi', 'hi\n'],
    ['echo a && echo b || echo c; echo d', 'a\nb\nd\n'],
    ["printf 'c d\\na b\\n' | sort | head -1", 'a b\n'],
    ["echo '; touch %'", '; touch %\n'],
    ['echo "it is \\$(touch %)"', 'it is $(touch %)\n'],
    ["cat <<'EOF'\n$(touch %)\nEOF", '$(touch %)\n'],
    ['echo x > $/open/y && cat < $/open/y', 'x\n'],
    ["echo 'a b' | awk '{print $2}'", 'b\n'],
    ["echo ab | sed 's/a/b/'", 'bb\n'],
    ['if test -f $/open/script; then echo yes; else echo no; fi', 'yes\n'],
    ["sh -c 'echo in'", 'in\n'],
    ['env TZ=UTC timeout 5 nice -n 1 echo wrapped', 'wrapped\n'],
    ['/bin/echo by path', 'by path\n'],
    ['# a comment\necho after', 'after\n'],
  ])('runs what policy permits: %s', async (text, expected) => {
    expect(await exec(fill(text))).toMatchObject({ status: 0, stdout: fill(expected) });
  });

  test.each([
    ['as itself', 'touch %'],
    ['behind a semicolon', 'echo hi; touch %'],
    ['behind a newline', 'echo hi\ntouch %'],
    ['behind a carriage return', 'echo hi\rtouch %'],
    ['behind &', 'echo hi & touch %'],
    ['behind && and ||', 'false || true && touch %'],
    ['in a pipeline', 'echo hi | touch %'],
    ['in a group', '{ touch %; }'],
    ['in a subshell', '( (touch %) )'],
    ['negated', '! touch %'],
    ['behind a comment', 'echo hi # nothing\ntouch %'],
    ['behind a # that begins no comment', 'echo hi#; touch %'],
    ['behind a joined line', 'echo \\\n; touch %'],
    ['as a condition', 'if touch %; then true; fi'],
    ['in a loop', 'for x in a; do touch %; done'],
    ['in another loop', 'until touch %; do false; done'],
    ['in a case', 'case a in b) true;; a) touch %;; esac'],
    ['in a function', 'f() { touch %; }; f'],
    ['in a function that has the name of another', 'ls() { touch %; }; ls'],
    ['in a coprocess', 'coproc touch %'],
    ['with quotes in it', 't"ou"c\'h\' %'],
    ['with a backslash in it', 't\\ouch %'],
    ['with a backslash in front', '\\touch %'],
    ['with escapes in it', "$'\\x74ouch' %"],
    ['in a locale string', '$"touch" %'],
    ['by its path', '/usr/bin/touch %'],
    ['by a longer path', '/usr/bin/../bin/touch %'],
    ['by a pattern', '/usr/bin/touc? %'],
    ['by another pattern', '/usr/bin/t[o]uch %'],
    ['by braces', '{touch,%}'],
    ['from a variable', 'X=touch; $X %'],
    ['from a variable with a default', '${X:-touch} %'],
    ['from the field separator', 'touch${IFS}%'],
    ['from an argument', 'set -- touch; "$1" %'],
    ['from the name of the shell', '$0 -c "touch %"'],
    ['in a substitution', 'echo $(touch %)'],
    ['in backquotes', 'echo `touch %`'],
    ['in a quoted substitution', 'echo "x $(touch %) y"'],
    ['in a default', 'echo ${X:-$(touch %)}'],
    ['in arithmetic', 'echo $(( $(touch %) 1 ))'],
    ['in an index', "x='a[$(touch %)]'; echo $((x))"],
    ['in the index of a test', "test -v 'a[$(touch %)]'"],
    ['in a process substitution', 'cat <(touch %)'],
    ['in an assignment', 'X=$(touch %) true'],
    ['in a redirection', 'echo hi > $/open/$(touch %)'],
    ['in a here-document', 'cat <<EOF\n$(touch %)\nEOF'],
    ['in a here-document that does not end where it seems to', "cat <<'E'\nE \n$(touch %)\nE\ntouch %"],
    ['in a here-string', 'cat <<< $(touch %)'],
    ['in a second here-document', "cat <<'A' <<B\nA\n$(touch %)\nB"],
    ['by eval', "eval 'touch %'"],
    ['by a dot', '. $/open/script'],
    ['by source', 'source $/open/script'],
    ['by a script', 'sh $/open/script'],
    ['as a script of its own', '$/open/script'],
    ['by a shell that reads', 'echo "touch %" | sh'],
    ['by a shell that reads base64', 'echo dG91Y2ggeA== | base64 -d | bash'],
    ['by a shell that reads a here-document', "sh <<'E'\ntouch %\nE"],
    ['by a shell that reads a file', 'sh < $/open/script'],
    ['by a shell in a shell', 'sh -c "bash -c \'touch %\'"'],
    ['by a shell with options', 'bash --norc -euc "touch %"'],
    ['by a shell with an option behind', 'bash -c -x "touch %"'],
    ['by a shell with a variable', 'X="touch %" sh -c \'$X\''],
    ['by trap', "trap 'touch %' EXIT"],
    ['by an alias', "alias ls='touch %'\nls"],
    ['by exec', 'exec touch %'],
    ['by command', 'command touch %'],
    ['by time', 'time touch %'],
    ['by env', 'env touch %'],
    ['by env with variables', 'env A=b touch %'],
    ['by env -S', "env -S 'touch %'"],
    ['by env with an unknown option', 'env --argv0=x touch %'],
    ['by nohup, nice and timeout', 'nohup nice -n 3 timeout -s KILL 5 touch %'],
    ['by xargs', 'echo % | xargs touch'],
    ['by xargs and a shell', "echo touch % | xargs -I{} sh -c '{}'"],
    ['by find', 'find $/open -name script -exec touch % \\;'],
    ['by find with +', 'find $/open -exec touch % {} +'],
    ['by find with an argument from a variable', 'X=-exec; find $/open $X touch % \\;'],
    ['by busybox', 'busybox touch %'],
    ['by sudo', 'sudo echo hi'],
    ['by tar', 'tar -cf /dev/null $/open --checkpoint=1 --checkpoint-action=exec="touch %"'],
    ['by tar with a shortened option', 'tar -cf /dev/null $/open --checkpoint=1 --checkpoint-a=exec="touch %"'],
    ['by tar with a program to compress', 'tar -cf $/open/x -I "touch %" $/open/script'],
    ['by git', "git -c alias.x='!touch %' x"],
    ['by a pager of git', "git -c core.pager='touch %' --paginate log"],
    ['by awk', 'awk \'BEGIN{system("touch %")}\''],
    ['by a pipe of awk', 'awk \'BEGIN{print "touch %" | "sh"}\''],
    ['by a file for awk', 'awk -f $/open/script'],
    ['by sed', "echo a | sed 's/a/touch %/e'"],
    ['by another command of sed', "echo a | sed '1e touch %'"],
    ['by a file that sed writes', "echo a | sed 'w %'"],
    ['by sort', "sort --compress-program='touch' -S 1k $/open/script"],
    ['by vi', "vi -c '!touch %' -c q"],
    ['by man', "man -P 'touch %' ls"],
    ['by ssh', "ssh -o ProxyCommand='touch %' nowhere"],
    ['by rsync', "rsync -e 'touch %' a:b $/open"],
    ['by python', 'python3 -c \'open("%","w")\''],
    ['by perl', 'perl -e \'open F, ">%"\''],
    ['by python that reads', "echo \"open('%','w')\" | python3"],
    ['by another search path', 'PATH=$/open:/usr/bin script'],
    ['by another search path for all', 'export PATH=$/open; script'],
    ['by reading the search path', 'echo $/open | { read PATH; ls; }'],
    ['by a library', 'LD_PRELOAD=$/open/script ls'],
    ['by a file for the shell', 'BASH_ENV=$/open/script bash -c true'],
    ['by redirection', 'echo hi > %'],
    ['by appending', 'echo hi >> %'],
    ['by redirection with a number', 'echo hi 1> %'],
    ['by redirection of a group', '{ echo hi; } > %'],
    ['by redirection without a command', '> %'],
    ['by both outputs', 'echo hi &> %'],
    ['by reading and writing', 'echo hi 1<> %'],
    ['by redirection from another directory', 'cd $ && echo hi > marker'],
    ['by redirection and ..', 'echo hi > $/open/../marker'],
    ['by redirection of all that follows', 'exec > %; echo hi'],
    ['with a program that only looks like one', 'l\u0455 %'],
    ['with an invisible letter', 'echo\u200b hi; touch %'],
    ['with a turned direction', 'echo \u202e hi; touch %'],
    ['with a blank that is none', 'touch\u00a0%'],
    ['behind an open quote', 'echo "hi; touch %'],
    ['behind a zero', 'echo hi\0; touch %'],
    ['as an option of the shell', '-c "touch %"'],
    ['behind very much', `echo ${'a '.repeat(14_000)}; touch %`],
    ['very deep', `${'('.repeat(60)}touch %${')'.repeat(60)}`],
    ['very often', 'touch x;'.repeat(2_000)],
  ])('refuses what policy does not permit, %s', async (_how, text) => {
    const result = await exec(fill(text), `touch ${marker()}\n`);
    expect(existsSync(marker())).toBe(false);
    expect(result).toMatchObject({ status: 126, stdout: '' });
    expect(result.stderr).toContain('sluice: ');
  });
});

/** `%` is the file that must not be made, `$/` the folder. */
function fill(text: string): string {
  return text.replaceAll('%', marker()).replaceAll('$/', `${folder}/`).replaceAll('cd $ ', `cd ${folder} `);
}
