import type { ActionDeclaration, ContextType, Declarations } from '@sluice/core/contract/declarations.ts';
import type { AccessClass } from '@sluice/core/domain/action.ts';

/**
 * The verbs and resources of SSH, with what policy may read about each. A table to be read; what a command line means in
 * these words is found out in `command/`, what a file operation means in `sftp/`.
 */

/** Present with every verb that comes from a command line; there are no optional attributes. */
export const commandContext = {
  /** Last part of the program's path, or its name: `ls` for `ls`, `/bin/ls` and `/tmp/ls`. Empty if nobody can know. */
  program: 'String',
  /** The path as written, when the program was named by one; empty otherwise. */
  program_path: 'String',
  /** Arguments whose value is known before the command runs. */
  arguments: 'Set<String>',
  /** The program and its arguments, quoted in one canonical way; what is not known stands there as it was written. */
  command_line: 'String',
  /** Paths that its redirections write, as written. */
  writes: 'Set<String>',
  /** Paths that its redirections read, as written. */
  reads: 'Set<String>',
  /** Programs in front of it that run it: `sudo`, `env`, `xargs`, `sh`. */
  wrappers: 'Set<String>',
  /** Variables set for it on the command line. */
  environment: 'Set<String>',
  /** Something of it can't be known before it runs. There is an `ssh:dynamic` beside it that says what. */
  dynamic: 'Bool',
  /** Its arguments are more than is written: a tilde or a file name pattern in them stands for what is there. */
  expanded: 'Bool',
  /** It stands in a pipeline of several commands. */
  pipeline: 'Bool',
  /** It is left running in the background. */
  background: 'Bool',
  /** It runs as somebody else: behind `sudo`, `doas`, `su`, `pkexec`, `runuser`. */
  elevated: 'Bool',
  /** A program that can run others by what it is given: an interpreter, an editor, `find`, `tar`. */
  runs_code: 'Bool',
  /** Why it is dynamic, each a word of a closed list; empty when it is not. */
  reasons: 'Set<String>',
} as const satisfies Readonly<Record<string, ContextType>>;

/** Present with every verb of file transfer. */
export const sftpContext = {
  /** Where it really is: absolute, links resolved. */
  path: 'String',
  /** The path as the client sent it. */
  requested: 'String',
  /** The other path of a rename, a link or a copy; empty otherwise. */
  other: 'String',
  /** A file that is not there is made. */
  creates: 'Bool',
  /** What was in the file is thrown away. */
  truncates: 'Bool',
  appends: 'Bool',
  /** Sets owner, group or mode. */
  changes_owner: 'Bool',
  changes_mode: 'Bool',
  /** The mode that is set lets somebody run the file. */
  executable: 'Bool',
  /** The mode that is set has the set-user-id or the set-group-id bit. */
  set_id: 'Bool',
} as const satisfies Readonly<Record<string, ContextType>>;

interface Verb {
  readonly access: AccessClass;
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, ContextType>>;
  readonly doc: string;
}

const paths = ['Path'] as const;

export const sshVerbs = {
  'ssh:exec': {
    access: 'execute',
    resources: ['Command'],
    context: commandContext,
    doc: 'Runs a program. One per command anywhere in a command line, also behind `sudo`, `env`, `xargs`, `sh -c` and the like.',
  },
  'ssh:dynamic': {
    access: 'execute',
    resources: ['Command', 'Target'],
    context: commandContext,
    doc: 'Runs something that nobody can know before it runs: `eval`, `$(…)`, a variable as an argument, a script from standard input, a program that runs others.',
  },
  'ssh:file.read': {
    access: 'read',
    resources: paths,
    context: commandContext,
    doc: 'A command line reads a file by redirection (`< file`).',
  },
  'ssh:file.write': {
    access: 'write',
    resources: paths,
    context: commandContext,
    doc: 'A command line writes a file by redirection (`> file`, `>> file`).',
  },
  'ssh:shell': {
    access: 'execute',
    resources: ['Target'],
    context: {},
    doc: 'An interactive shell. What is typed in it is recorded and not judged.',
  },
  'ssh:forward': {
    access: 'execute',
    resources: ['Address'],
    context: {
      /** A name or an address, in one form each: lower case, no dot at the end, `127.0.0.1` for `127.1`. The target resolves it. */
      host: 'String',
      port: 'Long',
    },
    doc: 'A connection from the target onward (`ssh -L`, `ssh -D`, `ssh -J`, `ssh -W`).',
  },
  'ssh:sftp.read': { access: 'read', resources: paths, context: sftpContext, doc: 'Reads the content of a file.' },
  'ssh:sftp.list': { access: 'read', resources: paths, context: sftpContext, doc: 'Lists a directory.' },
  'ssh:sftp.stat': {
    access: 'read',
    resources: paths,
    context: sftpContext,
    doc: 'Asks for size, owner, mode and times, or whether something is there.',
  },
  'ssh:sftp.readlink': {
    access: 'read',
    resources: paths,
    context: sftpContext,
    doc: 'Asks where a symbolic link leads.',
  },
  'ssh:sftp.write': { access: 'write', resources: paths, context: sftpContext, doc: 'Creates or writes a file.' },
  'ssh:sftp.mkdir': { access: 'write', resources: paths, context: sftpContext, doc: 'Makes a directory.' },
  'ssh:sftp.remove': {
    access: 'write',
    resources: paths,
    context: sftpContext,
    doc: 'Removes a file or an empty directory.',
  },
  'ssh:sftp.rename': {
    access: 'write',
    resources: paths,
    context: sftpContext,
    doc: 'Renames or moves; judged for both paths.',
  },
  'ssh:sftp.symlink': {
    access: 'write',
    resources: paths,
    context: sftpContext,
    doc: 'Makes a symbolic or a hard link; judged for the link and for what it leads to.',
  },
  'ssh:sftp.setstat': {
    access: 'write',
    resources: paths,
    context: sftpContext,
    doc: 'Sets size, owner, mode or times.',
  },
} as const satisfies Readonly<Record<string, Verb>>;

export type SshVerb = keyof typeof sshVerbs;

function declare([verb, { access, resources, context, doc }]: [string, Verb]): ActionDeclaration {
  return { verb, access, resources, context, doc };
}

export const sshDeclarations: Declarations = {
  actions: Object.entries(sshVerbs).map(declare),
  resources: [
    {
      type: 'Command',
      parents: ['Target'],
      doc: 'A program: `web/ls` by its name or in a directory of the system (`/bin/ls`, `/usr/bin/ls`); anywhere else by its whole path, `web//opt/app/run`, `web/./run`.',
    },
    {
      type: 'Path',
      parents: ['Path', 'Target'],
      roots: ['', '~'],
      doc: 'A file or directory, in the directories above it: `web/var/log/syslog` is in `web/var/log`, in `web/var`, and in `web/`, the root. `web/~/notes` is below the directory where the command starts.',
    },
    {
      type: 'Address',
      parents: ['Target'],
      doc: 'Where a forwarded connection leads: `web/db.internal:5432`.',
    },
  ],
};
