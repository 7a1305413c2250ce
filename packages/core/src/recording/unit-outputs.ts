import type { Digests } from '../contract/crypto.ts';
import type { RecordedStream } from '../domain/recording-event.ts';
import { isStreamName, openUnits, toHex, unitStreams } from './format.ts';
import type { RunningDigest, StartDigest } from './ports.ts';
import type { RowSettings } from './result-rows.ts';

export interface OutputTotals {
  readonly bytes: number;
  readonly digest: string;
  readonly streams: readonly RecordedStream[];
}

export interface OutputEvents {
  /** Payload of an `output` event, and when its first byte came; valid during the call. */
  output(payload: Uint8Array, micros: number): void;
  capped(unit: number, stream: string, afterBytes: number): void;
  /** More units than `openUnits` have output under way: this one is given up. */
  abandoned(unit: number, totals: OutputTotals): void;
  micros(): number;
}

interface Stream {
  readonly name: string;
  readonly digest: RunningDigest;
  bytes: number;
  kept: number;
  capped: boolean;
}

/** Bytes of one event when a single piece is larger than a batch. */
const largestPiece = 1024 * 1024;
const initialSize = 2 * 1024;
const prefixBytes = 5;
const none = new Uint8Array(0);

/**
 * What comes out of units: batches it, stops keeping a stream at the cap, never stops counting. One batch is collected
 * at a time, so that the recording has output of all streams and units in the order in which it came.
 */
export class UnitOutputs {
  readonly #digests: Digests;
  readonly #startDigest: StartDigest;
  readonly #settings: RowSettings;
  readonly #events: OutputEvents;
  /** Units with output under way; the one that waits longest for more comes first. */
  readonly #units = new Map<number, Stream[]>();
  /** Made with the first output: many sessions never have any. */
  #bytes = none;
  #used = 0;
  #of: Stream | undefined;
  #since = 0;

  constructor(digests: Digests, startDigest: StartDigest, settings: RowSettings, events: OutputEvents) {
    this.#digests = digests;
    this.#startDigest = startDigest;
    this.#settings = settings;
    this.#events = events;
  }

  /** Units with output under way. */
  units(): number[] {
    return [...this.#units.keys()];
  }

  add(unit: number, name: string, data: Uint8Array): void {
    const stream = this.#stream(unit, name);
    stream.digest.update(data);
    stream.bytes += data.length;
    if (stream.capped) return;
    const room = this.#settings.cap - stream.kept;
    const kept = data.length > room ? data.subarray(0, room) : data;
    stream.kept += kept.length;
    this.#keep(unit, stream, kept);
    if (kept === data) return;
    this.emit();
    stream.capped = true;
    this.#events.capped(unit, name, stream.kept);
  }

  /** Turns the collected output into an event. */
  emit(): void {
    if (!this.#of) return;
    this.#of = undefined;
    const used = this.#used;
    this.#used = 0;
    this.#events.output(this.#bytes.subarray(0, used), this.#since);
  }

  /** The unit's output is over; undefined when it had none. */
  complete(unit: number): OutputTotals | undefined {
    const streams = this.#units.get(unit);
    if (!streams) return undefined;
    this.emit();
    this.#units.delete(unit);
    const digests = streams.map(({ digest }) => digest.digest());
    return {
      bytes: streams.reduce((sum, { bytes }) => sum + bytes, 0),
      digest: toHex(digestOfStreams(this.#digests, digests)),
      streams: streams.map(({ name, bytes }, i) => ({ stream: name, bytes, digest: toHex(digests[i] ?? none) })),
    };
  }

  /** Gives memory back while a session idles. */
  trim(): void {
    if (!this.#of) this.#bytes = none;
  }

  #stream(unit: number, name: string): Stream {
    let streams = this.#units.get(unit);
    if (streams) this.#units.delete(unit);
    else if (this.#units.size >= openUnits) this.#abandonOldest();
    streams ??= [];
    this.#units.set(unit, streams);
    const known = streams.find((stream) => stream.name === name);
    if (known) return known;
    if (!isStreamName(name)) throw new Error('the name of a stream is 1 to 64 printable ASCII characters');
    if (streams.length >= unitStreams) throw new Error(`a unit has at most ${unitStreams} streams`);
    const stream: Stream = { name, digest: this.#startDigest(), bytes: 0, kept: 0, capped: false };
    streams.push(stream);
    return stream;
  }

  #abandonOldest(): void {
    const [oldest] = this.#units.keys();
    if (oldest === undefined) return;
    const totals = this.complete(oldest);
    if (totals) this.#events.abandoned(oldest, totals);
  }

  #keep(unit: number, stream: Stream, data: Uint8Array): void {
    const { batch } = this.#settings;
    for (let at = 0; at < data.length; ) {
      if (this.#of !== stream || this.#used >= batch) this.#begin(unit, stream);
      // A batch that has room takes what fits; a large piece becomes few large events.
      const size = Math.min(data.length - at, this.#empty(stream) ? largestPiece : Math.max(batch - this.#used, 1));
      this.#put(data.subarray(at, at + size));
      at += size;
    }
  }

  #empty(stream: Stream): boolean {
    return this.#used === prefixBytes + stream.name.length;
  }

  #begin(unit: number, stream: Stream): void {
    this.emit();
    this.#of = stream;
    this.#since = this.#events.micros();
    const prefix = new Uint8Array(prefixBytes + stream.name.length);
    new DataView(prefix.buffer).setUint32(0, unit);
    prefix[4] = stream.name.length;
    for (let i = 0; i < stream.name.length; i++) prefix[prefixBytes + i] = stream.name.charCodeAt(i);
    this.#put(prefix);
  }

  #put(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#bytes.length) {
      const next = new Uint8Array(
        Math.max(needed, initialSize, Math.min(this.#bytes.length * 2, this.#settings.batch)),
      );
      next.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = next;
    }
    this.#bytes.set(bytes, this.#used);
    this.#used = needed;
  }
}

/** One digest for all streams of a unit: the stream's own, or that of the digests of several. */
export function digestOfStreams(digests: Digests, of: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = of;
  return first && others.length === 0 ? first : digests.sha256(...of);
}
