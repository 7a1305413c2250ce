import { type Attributes, Fields } from './fields.ts';
import { most, SftpError, type } from './protocol.ts';

/** OpenSSH's extensions that are understood here, with the version they have (PROTOCOL, section 4). */
export const extensions: ReadonlyMap<string, string> = new Map([
  ['posix-rename@openssh.com', '1'],
  ['hardlink@openssh.com', '1'],
  ['fsync@openssh.com', '1'],
  ['lsetstat@openssh.com', '1'],
  ['statvfs@openssh.com', '2'],
  ['fstatvfs@openssh.com', '2'],
  ['limits@openssh.com', '1'],
]);

/** What a client asks for; paths are as it sent them, handles are the gateway's own. */
export type Request =
  | { readonly kind: 'open'; readonly path: string; readonly flags: number; readonly attributes: Attributes }
  | { readonly kind: 'opendir' | 'stat' | 'lstat' | 'readlink' | 'realpath'; readonly path: string }
  | { readonly kind: 'remove' | 'rmdir' | 'statvfs'; readonly path: string }
  | { readonly kind: 'mkdir' | 'setstat' | 'lsetstat'; readonly path: string; readonly attributes: Attributes }
  | { readonly kind: 'rename' | 'posix-rename' | 'hardlink' | 'symlink'; readonly path: string; readonly other: string }
  | { readonly kind: 'close' | 'fstat' | 'readdir' | 'fsync' | 'fstatvfs'; readonly handle: string }
  | { readonly kind: 'fsetstat'; readonly handle: string; readonly attributes: Attributes }
  | { readonly kind: 'read'; readonly handle: string; readonly offset: bigint; readonly length: number }
  | { readonly kind: 'write'; readonly handle: string; readonly offset: bigint; readonly data: Buffer }
  | { readonly kind: 'limits' }
  | { readonly kind: 'unknown'; readonly name: string };

export interface Asked {
  readonly id: number;
  readonly request: Request;
}

/** Reads one packet of a client behind its INIT; throws `SftpError` for what is no packet of the protocol. */
export function readRequest(packet: Buffer): Asked {
  const fields = new Fields(packet, 'client');
  const kind = fields.uint8();
  const id = fields.uint32();
  const request = read(kind, fields);
  // Of what is not known, nobody can say where it ends.
  if (request.kind !== 'unknown') fields.end();
  return { id, request };
}

function read(kind: number, fields: Fields): Request {
  const handle = () => fields.bytes(most.handle).toString('latin1');
  const path = () => fields.text();
  switch (kind) {
    case type.open:
      return { kind: 'open', path: path(), flags: fields.uint32(), attributes: fields.attributes() };
    case type.opendir:
      return { kind: 'opendir', path: path() };
    case type.stat:
      return { kind: 'stat', path: path() };
    case type.lstat:
      return { kind: 'lstat', path: path() };
    case type.readlink:
      return { kind: 'readlink', path: path() };
    case type.realpath:
      return { kind: 'realpath', path: path() };
    case type.remove:
      return { kind: 'remove', path: path() };
    case type.rmdir:
      return { kind: 'rmdir', path: path() };
    case type.mkdir:
      return { kind: 'mkdir', path: path(), attributes: fields.attributes() };
    case type.setstat:
      return { kind: 'setstat', path: path(), attributes: fields.attributes() };
    case type.rename:
      return { kind: 'rename', path: path(), other: path() };
    case type.symlink:
      // As OpenSSH has it, and all that talk to it: first what the link leads to (PROTOCOL, section 4.1).
      return symlink(path(), path());
    case type.close:
      return { kind: 'close', handle: handle() };
    case type.fstat:
      return { kind: 'fstat', handle: handle() };
    case type.readdir:
      return { kind: 'readdir', handle: handle() };
    case type.fsetstat:
      return { kind: 'fsetstat', handle: handle(), attributes: fields.attributes() };
    case type.read:
      return { kind: 'read', handle: handle(), offset: fields.uint64(), length: fields.uint32() };
    case type.write:
      return { kind: 'write', handle: handle(), offset: fields.uint64(), data: fields.bytes(most.packet) };
    case type.extended:
      return extended(fields.text(most.handle), fields);
    case type.init:
      throw new SftpError('packet', 'client', 'The file transfer was begun twice.');
    default:
      return { kind: 'unknown', name: `type ${kind}` };
  }
}

function extended(name: string, fields: Fields): Request {
  switch (name) {
    case 'posix-rename@openssh.com':
      return { kind: 'posix-rename', path: fields.text(), other: fields.text() };
    case 'hardlink@openssh.com':
      return symlinkLike('hardlink', fields.text(), fields.text());
    case 'fsync@openssh.com':
      return { kind: 'fsync', handle: fields.bytes(most.handle).toString('latin1') };
    case 'fstatvfs@openssh.com':
      return { kind: 'fstatvfs', handle: fields.bytes(most.handle).toString('latin1') };
    case 'lsetstat@openssh.com':
      return { kind: 'lsetstat', path: fields.text(), attributes: fields.attributes() };
    case 'statvfs@openssh.com':
      return { kind: 'statvfs', path: fields.text() };
    case 'limits@openssh.com':
      return { kind: 'limits' };
    default:
      return { kind: 'unknown', name };
  }
}

function symlink(leadsTo: string, link: string): Request {
  return symlinkLike('symlink', leadsTo, link);
}

/** `path` is the link that is made, `other` what it leads to. */
function symlinkLike(kind: 'symlink' | 'hardlink', leadsTo: string, link: string): Request {
  return { kind, path: link, other: leadsTo };
}
