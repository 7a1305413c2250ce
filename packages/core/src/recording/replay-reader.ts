import { decodeFrame } from './decode.ts';
import type { Entry } from './entry.ts';
import { type DamageReason, type Frame, FrameReader } from './frame-reader.ts';
import type { Inflater } from './ports.ts';

/** A place where the recording cannot be read. */
export interface Unreadable {
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: DamageReason | 'content';
  /** For people. */
  readonly problem: string;
}

export type ReplayItem =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'unreadable'; readonly unreadable: Unreadable };

export const damageText: Readonly<Record<DamageReason, string>> = {
  magic: 'the file does not begin like a recording',
  length: 'a length is wrong',
  checksum: 'the checksum does not fit, something was changed',
  cut: 'the file ends in the middle of an event',
  too_damaged: 'too much is damaged to find the next event',
};

/**
 * The events of a recording in their order, each with its time. What cannot be read is named and skipped. This is for
 * showing: it checks neither chain nor seal (see the verifier). Chunks must not be changed after they were given.
 */
export async function* readRecording(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  inflater: Inflater,
): AsyncGenerator<ReplayItem> {
  const reader = new FrameReader();
  let number = 0;
  for await (const chunk of source) {
    reader.push(chunk);
    for (let item = reader.next(); item; item = reader.next()) {
      const read = readItem(item, number, inflater);
      if (!read) continue;
      number++;
      yield read;
    }
  }
  reader.finish();
  for (let item = reader.next(); item; item = reader.next()) {
    const read = readItem(item, number, inflater);
    if (!read) continue;
    number++;
    yield read;
  }
}

function readItem(
  item: NonNullable<ReturnType<FrameReader['next']>>,
  number: number,
  inflater: Inflater,
): ReplayItem | undefined {
  switch (item.kind) {
    case 'reserve':
      return undefined;
    case 'damage':
      return {
        kind: 'unreadable',
        unreadable: {
          number,
          offset: item.offset,
          bytes: item.bytes,
          reason: item.reason,
          problem: damageText[item.reason],
        },
      };
    case 'frame':
      return readFrame(item.frame, number, inflater);
  }
}

function readFrame(frame: Frame, number: number, inflater: Inflater): ReplayItem {
  const decoded = decodeFrame(frame, inflater);
  if ('event' in decoded) {
    return { kind: 'entry', entry: { number, time: frame.time, offset: frame.offset, event: decoded.event } };
  }
  const bytes = frame.hashed.length + 4;
  return {
    kind: 'unreadable',
    unreadable: { number, offset: frame.offset, bytes, reason: 'content', problem: decoded.problem },
  };
}
