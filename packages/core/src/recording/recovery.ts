import type { Digests, Signer } from '../contract/crypto.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import { decodeFrame } from './decode.ts';
import type { EndEvent, HeaderEvent } from './entry.ts';
import { eventTypes, magic, sameBytes } from './format.ts';
import { type ChainMark, FrameBuffer } from './frame-buffer.ts';
import { type Frame, FrameReader } from './frame-reader.ts';
import type { Deflater, Inflater } from './ports.ts';
import { appendSeal } from './writer.ts';

/** How far an unsealed recording can be believed. */
export interface Found {
  /** Absent: not even the header is whole, nothing can be recovered. */
  readonly header?: HeaderEvent;
  /** Bytes up to the end of the last event that is whole and follows the one before it. */
  readonly wholeBytes: number;
  readonly chain: ChainMark;
  readonly ended: boolean;
  readonly sealed: boolean;
  /** Intact events behind the damage: then this is more than a torn tail. */
  readonly eventsBehind: number;
}

/** Reads an unsealed recording up to its last whole event. */
export class RecoveryScan {
  readonly #digests: Digests;
  readonly #inflater: Inflater;
  readonly #reader = new FrameReader();
  #header: HeaderEvent | undefined;
  #chain: ChainMark;
  #whole = 0;
  #stopped = false;
  #ended = false;
  #sealed = false;
  #behind = 0;

  constructor(digests: Digests, inflater: Inflater) {
    this.#digests = digests;
    this.#inflater = inflater;
    this.#chain = { head: digests.sha256(magic), count: 0, time: 0 };
  }

  /** The chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    this.#drain();
  }

  finish(): Found {
    this.#reader.finish();
    this.#drain();
    return {
      ...(this.#header ? { header: this.#header } : {}),
      wholeBytes: this.#whole,
      chain: this.#chain,
      ended: this.#ended,
      sealed: this.#sealed,
      eventsBehind: this.#behind,
    };
  }

  #drain(): void {
    for (let item = this.#reader.next(); item; item = this.#reader.next()) {
      if (item.kind === 'reserve') continue;
      if (item.kind === 'damage') this.#stopped = true;
      else if (this.#stopped) this.#behind++;
      else this.#frame(item.frame);
    }
  }

  #frame(frame: Frame): void {
    const decoded = decodeFrame(frame, this.#inflater);
    const first = this.#chain.count === 0;
    if (
      !('event' in decoded) ||
      this.#sealed ||
      (this.#ended && decoded.event.type !== 'seal') ||
      first !== (decoded.event.type === 'header') ||
      !sameBytes(frame.previous, this.#chain.head)
    ) {
      this.#stopped = true;
      this.#behind++;
      return;
    }
    this.#whole = frame.offset + frame.hashed.length + 4;
    if (decoded.event.type === 'seal') {
      this.#sealed = true;
      return;
    }
    if (decoded.event.type === 'header') this.#header = decoded.event;
    if (decoded.event.type === 'end') this.#ended = true;
    this.#chain = { head: this.#digests.sha256(frame.hashed), count: this.#chain.count + 1, time: frame.time };
  }
}

export interface RecoveryFacts {
  /** Unix milliseconds. */
  readonly at: number;
  /** What stood behind the last whole event, not counting reserved space. */
  readonly droppedBytes: number;
  /** SHA-256 of those bytes, lower-case hex; empty for none. */
  readonly droppedDigest: string;
}

export interface Closing {
  /** To be written behind the last whole event. */
  readonly bytes: Uint8Array;
  readonly events: number;
  readonly head: Uint8Array;
}

/** What closes a recording whose gateway died: the fact itself, the end, the seal. */
export function closingFrames(
  header: HeaderEvent,
  found: Found,
  facts: RecoveryFacts,
  ports: { readonly digests: Digests; readonly deflater: Deflater; readonly signer: Signer },
): Closing {
  const frames = new FrameBuffer(ports.digests, ports.deflater, found.chain);
  // The moment of death is unknown: these events carry the time of the last one that was written.
  const { time } = found.chain;
  if (!found.ended) {
    const recovered: RecordingEvent = {
      type: 'event',
      name: 'recovered',
      detail: { at: facts.at, droppedBytes: facts.droppedBytes, droppedDigest: facts.droppedDigest },
    };
    const end: EndEvent = { type: 'end', reason: 'interrupted', lost: 0 };
    frames.text(eventTypes.event, time, JSON.stringify(recovered));
    frames.text(eventTypes.end, time, JSON.stringify(end));
  }
  const { head, count } = frames;
  appendSeal(frames, header, ports.signer);
  return { bytes: frames.waiting(), events: count, head };
}
