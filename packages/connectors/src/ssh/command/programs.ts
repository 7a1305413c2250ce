import { isKnown } from './options.ts';
import type { Word } from './tree.ts';

/** Whether arguments of a program that can run others may make it do so. */
type Runs = (args: readonly Word[], terminal: boolean) => boolean;

const always: Runs = () => true;
const set = (text: string): readonly string[] => text.split(/\s+/).filter((name) => name !== '');

/** They take a program in a language of their own, or a shell is a keystroke away. */
const interpreters = set(`
  python perl ruby irb node nodejs deno bun php lua luajit tclsh wish expect guile racket R Rscript julia octave ghci
  runghc scala groovy jshell erl elixir iex swipl ocaml sbcl clisp emacs ed ex vi vim vim.basic vim.tiny nvim view rvim
  rview vimdiff nano pico joe mcedit mc micro less more most pg man info pinfo dialog whiptail
  gdb lldb strace ltrace perf valgrind bpftrace rlwrap script scriptreplay screen tmux zellij byobu
  parallel at batch crontab systemd-run systemd-nspawn machinectl start-stop-daemon daemonize runit chpst sv
  nsenter unshare setpriv capsh setarch linux32 linux64 prlimit numactl cgexec cpulimit faketime fakeroot proot
  unbuffer socat nc ncat netcat telnet ftp lftp sftp scp rsync mosh rsh rlogin rexec docker podman nerdctl crictl
  ctr kubectl helm oc lxc lxc-attach vagrant ansible ansible-playbook terraform aws gcloud az make gmake bmake cmake
  ninja meson ant mvn gradle cargo go rustc gcc g++ cc c++ clang clang++ ld as tcc npm npx yarn pnpm pip pip3 pipx uv
  gem bundle rake composer apt apt-get aptitude dpkg yum dnf rpm zypper apk pacman snap flatpak brew
  mysql mariadb psql sqlite3 mongo mongosh redis-cli mutt mail mailx sendmail gpg-agent dbus-run-session dbus-launch
  xvfb-run startx xterm ldd ld.so gosu su-exec tini dumb-init s6-setuidgid with-contenv torsocks proxychains
  proxychains4 logrotate run-parts service wine qemu java jrunscript m4 bc dc gnuplot pwsh powershell csh tcsh fish
  rc es elvish nu xonsh osh ysh visudo vipw sudoedit sudoreplay rvi crash dmsetup puppet chef-client
  salt-call salt git-upload-pack git-receive-pack git-upload-archive git-shell svnserve hg borg mosh-server
  sftp-server internal-sftp openvpn nmap tcpdump tshark ettercap mtr watch entr inotifywait incrontab fzf
  editor sensible-editor pager sensible-pager zless zmore bzless bzmore xzless xzmore lzless lzmore zstdless
  vim.nox vim.athena vim.gtk3 nvi vile jed hx kak mg zile emacs-nox emacs-gtk emacsclient ncdu tig ranger lf nnn vifm mc
  w3m lynx links elinks fdfind ipython ipython3 pytest tox poetry pipenv cpan ssh-agent ssh-add ssh-keygen sshfs
  autossh sshpass choom uclampset coresched chronic ifne sg eatmydata firejail bwrap flatpak-spawn run0 run-mailcap see
  xdg-open gs convert magick tex latex pdftex pdflatex lualatex xelatex svn aria2c insmod modprobe kmod sysctl nginx
  dhclient pppd ifup ifdown iptables ip6tables wpa_cli tmate dtach abduco reptyr ccache distcc gpg2 cpio neomutt irssi
`);

const versioned =
  /^(?:python|pypy|perl|ruby|node|php|lua|tclsh|gcc|g\+\+|clang|clang\+\+|pip|guile|ghc|ld(?:-linux|-musl)?[\w.-]*\.so|ld-.*\.so)[\d.-]*(?:-(?:config|dbg|[\w-]*linux[\w-]*))?$|-(?:gcc|g\+\+|cpp|ld|as|gdb|python[\d.]*|perl[\d.]*)(?:-[\d.]+)?$|^gdb-/;

const known = (args: readonly Word[]): boolean => args.every(isKnown);

/** Runs nothing unless an argument begins like one of these; what is not known may be one. */
function unlessBegins(pattern: RegExp): Runs {
  return (args) => !known(args) || args.some((word) => pattern.test(word.value));
}

/** GNU tar takes any beginning of a long option, and bundles of letters without a dash. */
const tar: Runs = (args) =>
  !known(args) ||
  args.some(({ value }, index) => {
    // A colon in the name of an archive: another machine, reached by a program.
    if (/^[^/]*:/.test(value)) return true;
    if (value.startsWith('--'))
      return !/^--(?:exclude=.*|directory=.*|file=.*|strip-components=\d+|wildcards|gzip|verbose|extract|create|list)$/.test(
        value,
      );
    const bundle = value.startsWith('-') ? value.slice(1) : index === 0 ? value : undefined;
    return bundle !== undefined && (!/^[cxtzjJvfCpkhmOPSurdwWa]*$/.test(bundle) || /^\d/.test(bundle));
  });

/** AWK programs run commands with system(), pipes and getline, and write with >; options bring in more program. */
const awk: Runs = (args) => {
  if (!known(args)) return true;
  let program: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const value = args[at]?.value ?? '';
    if (program !== undefined) continue;
    if (value === '-F' || value === '-v') at++;
    else if (/^-[Fv]./.test(value) || value === '--') continue;
    else if (value.startsWith('-')) return true;
    else program = value;
  }
  return program === undefined || /system|getline|close|fflush|[|>@`\\]|include|load/.test(program);
};

/** One substitution, or addresses with one of the harmless commands; `e`, `w`, `r` and `s///e` are neither. */
const sedScript =
  /^(?:(?:\d+|\$|\/[^/\\;{}\n]*\/)(?:,(?:\d+|\$|\/[^/\\;{}\n]*\/))?)?(?:[pdq=]|s([/|,#:@!])(?:(?!\1)[^\\\n]|\\[^\n])*\1(?:(?!\1)[^\\\n]|\\[^\n])*\1[gpiI\d]*)$/;

const sed: Runs = (args) => {
  if (!known(args)) return true;
  const scripts: string[] = [];
  let given = false;
  for (let at = 0; at < args.length; at++) {
    const value = args[at]?.value ?? '';
    if (value === '-e' || value === '--expression') {
      scripts.push(args[++at]?.value ?? '');
      given = true;
    } else if (/^-[nErsuz]+$/.test(value) || /^-i/.test(value) || value === '--quiet') continue;
    else if (value.startsWith('-') && value !== '-') return true;
    else if (!given && scripts.length === 0) scripts.push(value);
  }
  return !scripts.every((script) => sedScript.test(script));
};

/** Only what reads a repository, without options that name programs; configuration in the repository still can. */
const git: Runs = (args, terminal) => {
  if (!known(args)) return true;
  let at = 0;
  const paged = args[at]?.value !== '--no-pager';
  if (!paged) at++;
  if (terminal && paged) return true;
  const verb = args[at]?.value ?? '';
  if (
    !/^(?:status|log|show|diff|rev-parse|rev-list|describe|ls-files|ls-tree|blame|shortlog|cat-file|--version)$/.test(
      verb,
    )
  )
    return true;
  return args
    .slice(at + 1)
    .some(({ value }) => /^(?:--ext|--textc|--open|-O|--out|--exec|--upload|-c$|--config)/.test(value));
};

const systemctl: Runs = (args, terminal) =>
  !known(args) ||
  (terminal && !args.some(({ value }) => value === '--no-pager')) ||
  // Another machine, another root.
  args.some(({ value }) => /^-[^-]*[HM]|^--(?:host|mach|root|image)/.test(value)) ||
  !/^(?:status|show|cat|list-.*|is-.*|get-default|--version)$/.test(
    args.find(({ value }) => !value.startsWith('-'))?.value ?? '--version',
  );

/** Programs that can run others by what they are given. Whatever is not listed is what its name says. */
const runners = new Map<string, Runs>([
  ...interpreters.map((name): [string, Runs] => [name, always]),
  ...['awk', 'gawk', 'mawk', 'nawk'].map((name): [string, Runs] => [name, awk]),
  ['sed', sed],
  ['gsed', sed],
  ['git', git],
  ['tar', tar],
  ['gtar', tar],
  ['bsdtar', always],
  ['systemctl', systemctl],
  ['journalctl', (args, terminal) => !known(args) || (terminal && !args.some(({ value }) => value === '--no-pager'))],
  ['sort', unlessBegins(/^--c(?!heck)|^--files/)],
  ['split', unlessBegins(/^--f/)],
  ['zip', unlessBegins(/^-.*T|^--(?:un|te)/)],
  ['wget', unlessBegins(/^--use-a|^-[^-]*e|^--exec|^--config/)],
  ['curl', unlessBegins(/^-[^-]*K|^--conf|^--engine/)],
  ['install', unlessBegins(/^--strip-/)],
  ['openssl', unlessBegins(/^-(?:engine|provider|config)/)],
  ['gpg', unlessBegins(/program|^--exec|^--ph/)],
  ['rg', unlessBegins(/^--pre|^--hostname-bin/)],
  ['fd', unlessBegins(/^-[^-]*[xX]|^--exec/)],
  ['ip', unlessBegins(/^(?:e|ex|exe|exec)$|^-b|^-force/)],
]);

/**
 * Whether it is known to run others by what it is given, and whether these arguments may make it do so. At a terminal,
 * a pager is between, and a shell a keystroke away.
 */
export function runsCode(
  program: string,
  words: readonly Word[],
  terminal: boolean,
): { readonly able: boolean; readonly does: boolean } {
  const rule = runners.get(program) ?? (versioned.test(program) ? always : undefined);
  if (!rule) return { able: false, does: false };
  return { able: true, does: rule(words.slice(1), terminal) };
}
