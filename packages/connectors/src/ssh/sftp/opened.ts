import { type Attributes, FieldsWriter } from './fields.ts';
import { resolvePath } from './paths.ts';
import { code, type } from './protocol.ts';
import type { Answer, SftpTarget } from './target.ts';

/**
 * What was opened has to be what was judged. A path is resolved before it is opened, and the protocol cannot open
 * without following links: whoever may rename things could put a link in the way in between, by another channel. So
 * the path is resolved again, and what is there now compared with what is open; files have no numbers in this version of
 * the protocol, but owner, mode, size and time. Anything else is closed, and its handle never seen.
 */
export async function onlyAsJudged(
  target: SftpTarget,
  home: string,
  requested: string,
  judged: string,
  given: Answer,
): Promise<Answer> {
  if (given.kind !== 'handle') return given;
  const handle = new FieldsWriter().bytes(given.handle).take();
  const before = await target.ask(type.fstat, handle);
  const again = await resolvePath(target, home, requested, 'follow');
  const there = await target.ask(type.lstat, new FieldsWriter().text(judged).take());
  const after = await target.ask(type.fstat, handle);
  const same =
    again.failed === undefined &&
    again.path === judged &&
    before.kind === 'attributes' &&
    there.kind === 'attributes' &&
    after.kind === 'attributes' &&
    isBetween(before.attributes, there.attributes, after.attributes);
  if (same) return given;
  await target.ask(type.close, handle);
  return { kind: 'status', code: code.permissionDenied };
}

/** The same file, which may be written to meanwhile. */
function isBetween(before: Attributes, there: Attributes, after: Attributes): boolean {
  const sameOwner = before.owner?.uid === there.owner?.uid && before.owner?.gid === there.owner?.gid;
  const [from, at, to] = [before, there, after].map(({ size, times }) => ({
    size: size ?? 0n,
    time: times?.modified ?? 0,
  }));
  if (!from || !at || !to || !sameOwner || before.mode !== there.mode) return false;
  const [low, high] = from.size <= to.size ? [from.size, to.size] : [to.size, from.size];
  return low <= at.size && at.size <= high && from.time <= at.time && at.time <= to.time;
}
