import type { Session } from '@sluice/core/contract/session.ts';
import { type Attributes, FieldsWriter } from './fields.ts';
import { textOf } from './paths.ts';
import { code, type } from './protocol.ts';
import type { Entry } from './target.ts';

/** In the gateway's own words: a target's could hold what must not be shown. */
const words: Readonly<Record<number, string>> = {
  [code.ok]: 'Success',
  [code.eof]: 'End of file',
  [code.noSuchFile]: 'No such file',
  [code.permissionDenied]: 'Permission denied',
  [code.failure]: 'Failure',
  [code.badMessage]: 'Bad message',
  [code.unsupported]: 'Operation unsupported',
};

/** Packets for the client (draft section 7). Codes of later versions than 3 are no codes here. */
export function status(id: number, given: number, message?: string): Buffer {
  const known = given in words ? given : code.failure;
  return new FieldsWriter()
    .uint8(type.status)
    .uint32(id)
    .uint32(known)
    .text(message ?? words[known] ?? '')
    .text('en')
    .packet();
}

export function handle(id: number, name: string): Buffer {
  return new FieldsWriter().uint8(type.handle).uint32(id).bytes(Buffer.from(name, 'latin1')).packet();
}

export function data(id: number, bytes: Uint8Array): Buffer {
  return new FieldsWriter(9 + bytes.length).uint8(type.data).uint32(id).bytes(bytes).packet();
}

export function attributes(id: number, given: Attributes): Buffer {
  return new FieldsWriter().uint8(type.attrs).uint32(id).attributes(given).packet();
}

export function extendedReply(id: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32BE(5 + bytes.length, 0);
  head.writeUInt8(type.extendedReply, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, bytes]);
}

/** PROTOCOL, section 4.4: eleven numbers of eight bytes. */
export function statvfs(id: number, bytes: Uint8Array): Buffer {
  return bytes.length === 88 ? extendedReply(id, bytes) : status(id, code.failure);
}

export function names(id: number, entries: readonly Entry[]): Buffer {
  const writer = new FieldsWriter().uint8(type.name).uint32(id).uint32(entries.length);
  for (const { name, long, attributes: its } of entries) writer.bytes(name).bytes(long).attributes(its);
  return writer.packet();
}

export function pathName(id: number, path: string): Buffer {
  const name = Buffer.from(path);
  return names(id, [{ name, long: name, attributes: {} }]);
}

export function version(extensions: Iterable<readonly [string, string]>): Buffer {
  const writer = new FieldsWriter().uint8(type.version).uint32(3);
  for (const [name, value] of extensions) writer.text(name).text(value);
  return writer.packet();
}

/**
 * The entries of a directory as they may be shown: what is found in a name is masked. A name that leads elsewhere, which
 * only a hostile target has, is left out.
 */
export function shownEntries(session: Session, entries: readonly Entry[]): readonly Entry[] {
  return entries.flatMap((entry) => {
    const name = textOf(entry.name) ?? entry.name.toString('latin1');
    if (name === '' || /[/\0]/.test(name)) return [];
    const shown = session.texts.text(name);
    const long = session.texts.text(textOf(entry.long) ?? entry.long.toString('latin1'));
    session.sawLabels(shown.labels.filter((label) => session.hides([label]).length === 0));
    if (!shown.masked && !long.masked) return [entry];
    return [{ ...entry, name: Buffer.from(shown.value.replaceAll('/', '_')), long: Buffer.from(long.value) }];
  });
}
