import type { Action, Context } from '@sluice/core/domain/action.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Exposure, Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import { quote } from '../command/quote.ts';
import { pathResource } from '../resources.ts';
import { type SshVerb, sshVerbs } from '../verbs.ts';
import { type Attributes, FieldsWriter } from './fields.ts';
import type { Resolved } from './paths.ts';
import { flag, type } from './protocol.ts';
import type { Request } from './requests.ts';

export type PathRequest = Extract<Request, { readonly path: string }>;

/** What the units of one file transfer have in common. */
export interface Ground {
  readonly target: string;
  readonly run?: RunContext | undefined;
  /** Labels that the operator's configuration puts on what is at a path. */
  labelsOf(path: string): readonly string[];
}

interface Meaning {
  readonly verbs: readonly SshVerb[];
  /** What goes to the target: the type of the packet, and its fields. */
  readonly packet: readonly [number, FieldsWriter];
  readonly context?: Context;
}

const plainContext: Context = {
  other: '',
  creates: false,
  truncates: false,
  appends: false,
  changes_owner: false,
  changes_mode: false,
  executable: false,
  set_id: false,
};

/** Whether the last part of the path is followed, when it is a link. */
export function follows(request: PathRequest): 'follow' | 'keep' {
  switch (request.kind) {
    case 'open':
    case 'opendir':
    case 'stat':
    case 'setstat':
    case 'statvfs':
    case 'realpath':
      return 'follow';
    default:
      return 'keep';
  }
}

/** Why the request can't be carried out as it is, for people; undefined when it can. */
export function problemOf(request: PathRequest): string | undefined {
  if (request.kind === 'open') {
    const known = Object.values(flag).reduce((all, each) => all | each, 0);
    if ((request.flags & ~known) !== 0) return 'It is opened with flags that are not known here.';
    if ((request.flags & (flag.read | flag.write)) === 0) return 'It is opened neither to read nor to write.';
    if ((request.flags & flag.write) === 0 && request.flags !== flag.read) return 'It is created, but not to write.';
  }
  if (request.kind === 'open' || request.kind === 'mkdir') {
    const { size, owner, times } = request.attributes;
    if (size !== undefined || owner || times) return 'It is created with more than a mode.';
  }
  return undefined;
}

/**
 * The unit of a request for something at a path: judged for where the path leads, and for what the client named;
 * `beyond` is where a link leads that is moved.
 */
export function pathUnit(
  ground: Ground,
  request: PathRequest,
  at: Resolved,
  other?: Resolved,
  beyond?: Resolved,
): Unit {
  const { verbs, packet, context } = meaning(request, at, other);
  const [kind, fields] = packet;
  const paths = [at, other, beyond].flatMap((each) => (each ? [each.path, each.named] : []));
  const resources = [...new Set(paths)].map((path) => pathResource(ground.target, path));
  const body = Buffer.concat([Buffer.from([kind]), fields.take()]);
  const said = {
    ...plainContext,
    path: at.path,
    requested: request.path,
    other: other?.path ?? '',
    ...context,
  };
  return {
    name: request.kind,
    bytes: [body],
    actions: verbs.map((verb) => action(verb, resources, said, textOf(request))),
    labels: verbs.includes('ssh:sftp.read') ? ground.labelsOf(at.path) : [],
    exposures: exposuresOf(ground, request, at, other),
    parameters: [],
    // All of what goes to the target, so that consent is for exactly this.
    binding: { request: body.toString('hex'), path: at.path },
    ...(ground.run ? { run: ground.run } : {}),
  };
}

/** Labels are put on paths: what is moved, or gets a second name, would be read without them. */
function exposuresOf(ground: Ground, request: PathRequest, at: Resolved, other: Resolved | undefined): Exposure[] {
  if (!other) return [];
  const moves = request.kind === 'rename' || request.kind === 'posix-rename';
  if (!moves && request.kind !== 'hardlink') return [];
  const [from, to] = moves ? [at.path, other.path] : [other.path, at.path];
  // What is in a directory is moved with it.
  const lost = ['', '/x', '/x/x'].flatMap((below) => {
    const kept = ground.labelsOf(`${to}${below}`);
    return ground.labelsOf(`${from}${below}`).filter((label) => !kept.includes(label));
  });
  const labels = [...new Set(lost)].sort();
  return labels.length > 0 ? [{ labels, reason: 'It would take labelled data to where it has no label.' }] : [];
}

/** The unit of a request for something behind a handle: what was opened is what it is about. */
export function handleUnit(
  ground: Ground,
  verb: SshVerb,
  path: string,
  name: string,
  body: Buffer,
  attributes: Attributes = {},
): Unit {
  const said = { ...plainContext, ...attributeContext(attributes), path, requested: path };
  return {
    name,
    bytes: [body],
    actions: [action(verb, [pathResource(ground.target, path)], said, `${name} ${quote(path)}`)],
    labels: [],
    exposures: [],
    parameters: [],
    binding: { path, attributes: new FieldsWriter().attributes(attributes).take().toString('hex') },
    ...(ground.run ? { run: ground.run } : {}),
  };
}

/** A part of what an open file was opened for. It has no meaning of its own: whether it may be is asked of the opening. */
export function partUnit(of: Unit, name: string, body: Buffer, continues: UnitHandle): Unit {
  return { ...of, name, bytes: [body], actions: [], labels: [], parameters: [], continues };
}

function action(verb: SshVerb, resources: readonly Resource[], context: Context, text: string): Action {
  return { verb, access: sshVerbs[verb].access, resources, text, context };
}

function textOf(request: PathRequest): string {
  return 'other' in request
    ? `${request.kind} ${quote(request.path)} ${quote(request.other)}`
    : `${request.kind} ${quote(request.path)}`;
}

function meaning(request: PathRequest, at: Resolved, other: Resolved | undefined): Meaning {
  const fields = new FieldsWriter();
  const extended = (name: string) => fields.text(name);
  switch (request.kind) {
    case 'open':
      return openMeaning(request, fields.text(at.path));
    case 'opendir':
      return { verbs: ['ssh:sftp.list'], packet: [type.opendir, fields.text(at.path)] };
    case 'stat':
    case 'realpath':
      return { verbs: ['ssh:sftp.stat'], packet: [type.stat, fields.text(at.path)] };
    case 'lstat':
      return { verbs: ['ssh:sftp.stat'], packet: [type.lstat, fields.text(at.path)] };
    case 'statvfs':
      return { verbs: ['ssh:sftp.stat'], packet: [type.extended, extended('statvfs@openssh.com').text(at.path)] };
    case 'readlink':
      return { verbs: ['ssh:sftp.readlink'], packet: [type.readlink, fields.text(at.path)] };
    case 'remove':
      return { verbs: ['ssh:sftp.remove'], packet: [type.remove, fields.text(at.path)] };
    case 'rmdir':
      return { verbs: ['ssh:sftp.remove'], packet: [type.rmdir, fields.text(at.path)] };
    case 'mkdir':
      return {
        verbs: ['ssh:sftp.mkdir'],
        packet: [type.mkdir, fields.text(at.path).attributes(request.attributes)],
        context: { ...attributeContext(request.attributes), changes_mode: false, creates: true },
      };
    case 'setstat':
      return {
        verbs: ['ssh:sftp.setstat'],
        packet: [type.setstat, fields.text(at.path).attributes(request.attributes)],
        context: attributeContext(request.attributes),
      };
    case 'lsetstat':
      return {
        verbs: ['ssh:sftp.setstat'],
        packet: [type.extended, extended('lsetstat@openssh.com').text(at.path).attributes(request.attributes)],
        context: attributeContext(request.attributes),
      };
    case 'rename':
      return {
        verbs: ['ssh:sftp.rename'],
        packet: [type.rename, fields.text(at.path).text(other?.path ?? '')],
        context: { creates: true },
      };
    case 'posix-rename':
      return {
        verbs: ['ssh:sftp.rename'],
        packet: [
          type.extended,
          extended('posix-rename@openssh.com')
            .text(at.path)
            .text(other?.path ?? ''),
        ],
        context: { creates: true, truncates: true },
      };
    case 'hardlink':
      return {
        verbs: ['ssh:sftp.symlink'],
        packet: [
          type.extended,
          extended('hardlink@openssh.com')
            .text(other?.path ?? '')
            .text(at.path),
        ],
        context: { creates: true },
      };
    case 'symlink':
      // What it leads to is content: the client's own words, judged for where they lead from there.
      return {
        verbs: ['ssh:sftp.symlink'],
        packet: [type.symlink, fields.text(request.other).text(at.path)],
        context: { creates: true },
      };
  }
}

function openMeaning(request: PathRequest & { readonly kind: 'open' }, fields: FieldsWriter): Meaning {
  const { flags, attributes } = request;
  const has = (bit: number) => (flags & bit) !== 0;
  const verbs: SshVerb[] = [];
  if (has(flag.read)) verbs.push('ssh:sftp.read');
  if (has(flag.write)) verbs.push('ssh:sftp.write');
  return {
    verbs,
    packet: [type.open, fields.uint32(flags).attributes(attributes)],
    context: {
      ...attributeContext(attributes),
      changes_mode: false,
      creates: has(flag.create),
      truncates: has(flag.truncate),
      appends: has(flag.append),
    },
  };
}

function attributeContext({ size, owner, mode }: Attributes): Context {
  return {
    truncates: size !== undefined,
    changes_owner: owner !== undefined,
    changes_mode: mode !== undefined,
    executable: mode !== undefined && (mode & 0o111) !== 0,
    set_id: mode !== undefined && (mode & 0o6000) !== 0,
  };
}
