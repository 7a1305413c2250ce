import { FieldsWriter } from './fields.ts';
import { code, type } from './protocol.ts';
import { type Answer, isMissing, type SftpTarget } from './target.ts';

/** Most links on the way to one file (Linux: 40), and most parts of a path. */
const mostLinks = 40;
const mostParts = 100;

/** Where a path leads. */
export interface Resolved {
  /** Absolute, without links; where nothing is there, as far as it goes, and the rest as it was written. */
  readonly path: string;
  /** What the client named, absolute; the same as `path` where no link is on the way. */
  readonly named: string;
  /** The status with which the target said that it can't be followed. */
  readonly failed?: number;
}

/** Absolute, as written but for empty parts, `.`, and `..` behind a name. */
export function named(home: string, path: string): string {
  const parts: string[] = [];
  for (const part of partsOf(path.startsWith('/') ? path : `${home}/${path}`)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/**
 * Follows every link on the way, as the target's own kernel will: by asking what each part is. `last` says whether the
 * last part is followed, too; operations on a link itself do not. Between this and the operation a link could be put in
 * the way: by somebody with other access to the target, or by moving a directory with a relative link in it. The
 * gateway's own clients make and move links only by a decision about where they lead.
 */
export async function resolvePath(
  target: SftpTarget,
  home: string,
  path: string,
  last: 'follow' | 'keep',
): Promise<Resolved> {
  const written = named(home, path);
  let parts = partsOf(path.startsWith('/') ? path : `${home}/${path}`);
  let done: string[] = [];
  let links = 0;
  const failed = (status: number): Resolved => ({
    path: `/${[...done, ...parts].filter((part) => part !== '..').join('/')}`,
    named: written,
    failed: status,
  });
  while (parts.length > 0) {
    if (parts.length > mostParts) return failed(code.failure);
    if (parts[0] === '..') {
      done.pop();
      parts.shift();
      continue;
    }
    const up = parts.indexOf('..');
    const run = up === -1 ? parts : parts.slice(0, up);
    const final = up === -1 && last === 'keep' ? run.length - 1 : run.length;
    // All at once: one round trip where there is no link.
    const answers = await Promise.all(
      run.slice(0, final).map((_, index) => lstat(target, [...done, ...run.slice(0, index + 1)])),
    );
    const at = answers.findIndex((answer) => !isPlain(answer));
    const answer = answers[at];
    if (!answer) {
      done = [...done, ...run];
      parts = parts.slice(run.length);
      continue;
    }
    done = [...done, ...run.slice(0, at)];
    parts = parts.slice(at);
    if (answer.kind === 'attributes') {
      // A target that does not say what something is leaves open where it leads.
      if (answer.attributes.mode === undefined || ++links > mostLinks) return failed(code.failure);
      const leadsTo = await readlink(target, [...done, parts[0] ?? '']);
      if (leadsTo === undefined) return failed(code.failure);
      if (leadsTo.startsWith('/')) done = [];
      parts = [...partsOf(leadsTo), ...parts.slice(1)];
    } else if (isMissing(answer) && parts.length === 1) {
      done = [...done, ...parts];
      parts = [];
    } else return failed(answer.kind === 'status' ? answer.code : code.failure);
  }
  return { path: `/${done.join('/')}`, named: written };
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Draft section 5: the mode has the kind of file as `st_mode` has it. */
function isPlain(answer: Answer): boolean {
  if (answer.kind !== 'attributes') return false;
  const { mode } = answer.attributes;
  return mode !== undefined && (mode & 0o170000) !== 0o120000;
}

function lstat(target: SftpTarget, parts: readonly string[]): Promise<Answer> {
  return target.ask(type.lstat, new FieldsWriter().text(`/${parts.join('/')}`).take());
}

async function readlink(target: SftpTarget, parts: readonly string[]): Promise<string | undefined> {
  const answer = await target.ask(type.readlink, new FieldsWriter().text(`/${parts.join('/')}`).take());
  const entry = answer.kind === 'names' ? answer.entries[0] : undefined;
  return entry && textOf(entry.name);
}

/** Where a link leads once it is moved, or has a second name; undefined for what is no link. Both paths are resolved. */
export async function movedLink(
  target: SftpTarget,
  home: string,
  from: string,
  to: string,
): Promise<Resolved | undefined> {
  const leadsTo = await readlink(target, partsOf(from));
  if (leadsTo === undefined) return undefined;
  const path = leadsTo.startsWith('/') ? leadsTo : `${to.slice(0, to.lastIndexOf('/'))}/${leadsTo}`;
  return resolvePath(target, home, path, 'follow');
}

/** Where the target starts; asked once. */
export async function homeOf(target: SftpTarget): Promise<string | undefined> {
  const answer = await target.ask(type.realpath, new FieldsWriter().text('.').take());
  const entry = answer.kind === 'names' ? answer.entries[0] : undefined;
  const home = entry && textOf(entry.name);
  return home?.startsWith('/') ? named('/', home) : undefined;
}

/** Undefined for what is not UTF-8 or could not be sent again. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text === '' || text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
