import type { Digests } from '../contract/crypto.ts';
import type { RecordedStream, RecordingEvent } from '../domain/recording-event.ts';
import type { AnyEvent } from './entry.ts';
import { openUnits, toHex, unitStreams } from './format.ts';
import type { RunningDigest, StartDigest } from './ports.ts';
import { digestOfStreams } from './unit-outputs.ts';

type OutputEvent = Extract<RecordingEvent, { type: 'output' | 'capped' | 'complete' }>;

interface Kept {
  readonly name: string;
  readonly digest: RunningDigest;
  bytes: number;
  capped: boolean;
}

/**
 * Follows the output of units and compares the totals with what is kept. Remembers no more than a writer would: a
 * crafted recording must not fill the memory of whoever checks it.
 */
export class OutputCheck {
  readonly #digests: Digests;
  readonly #startDigest: StartDigest;
  readonly #units = new Map<number, Kept[]>();
  #unfinished = 0;
  /** Something could not be read: output may be missing from here on. */
  #unsure = false;

  constructor(digests: Digests, startDigest: StartDigest) {
    this.#digests = digests;
    this.#startDigest = startDigest;
  }

  /** Units whose output did not come to its end, up to here. */
  get unfinished(): number {
    return this.#unfinished + this.#units.size;
  }

  /** Whether the event is about the output of a unit, and not about a result that has rows. */
  owns(event: AnyEvent): event is OutputEvent {
    if (event.type === 'complete') return this.#units.has(event.unit) || event.streams !== undefined;
    return event.type === 'output' || (event.type === 'capped' && event.unit !== undefined);
  }

  /** What is wrong with the event; undefined when nothing is. */
  next(event: OutputEvent): string | undefined {
    if (event.type === 'output') return this.#output(event.unit, event.stream, event.data);
    if (event.type === 'capped') return this.#capped(event);
    const kept = this.#units.get(event.unit);
    this.#units.delete(event.unit);
    if (event.unfinished) this.#unfinished++;
    return this.#compare(event, kept);
  }

  /** After damage nothing is known about output that is under way, or that began in what cannot be read. */
  lost(): void {
    this.#unsure = true;
  }

  #output(unit: number, name: string, data: Uint8Array): string | undefined {
    const streams = this.#units.get(unit) ?? [];
    if (streams.length === 0) {
      if (this.#units.size >= openUnits) return `more than ${openUnits} units have output under way`;
      this.#units.set(unit, streams);
    }
    let stream = streams.find((one) => one.name === name);
    if (!stream) {
      if (streams.length >= unitStreams) return `unit ${unit} has more than ${unitStreams} streams`;
      stream = { name, digest: this.#startDigest(), bytes: 0, capped: false };
      streams.push(stream);
    }
    if (stream.capped && !this.#unsure) return `there is output of unit ${unit} behind the cap`;
    stream.digest.update(data);
    stream.bytes += data.length;
    return undefined;
  }

  #capped(event: OutputEvent & { type: 'capped' }): string | undefined {
    const { unit = 0, stream: name = '', afterBytes } = event;
    let stream = this.#units.get(unit)?.find((one) => one.name === name);
    // A cap of nothing: the stream has no output to know it by.
    if (!stream && afterBytes === 0) {
      const problem = this.#output(unit, name, new Uint8Array(0));
      if (problem !== undefined) return problem;
      stream = this.#units.get(unit)?.find((one) => one.name === name);
    }
    const kept = stream?.bytes ?? 0;
    if (stream) stream.capped = true;
    if (kept === afterBytes || this.#unsure) return undefined;
    return `output of unit ${unit} stops being kept after ${kept} bytes, the event says after ${afterBytes}`;
  }

  #compare(event: OutputEvent & { type: 'complete' }, kept: readonly Kept[] = []): string | undefined {
    const { unit, streams } = event;
    if (!streams) return this.#unsure ? undefined : `the totals of unit ${unit} leave its output out`;
    const own = new Map(kept.map((stream) => [stream.name, stream]));
    for (const claimed of streams) {
      const problem = this.#compareStream(unit, claimed, own.get(claimed.stream));
      if (problem !== undefined) return problem;
      own.delete(claimed.stream);
    }
    if (own.size > 0) return `the totals of unit ${unit} leave a stream out that has output`;
    if (streams.reduce((sum, { bytes }) => sum + bytes, 0) !== event.bytes || event.rows !== 0) {
      return `the totals of unit ${unit} are not the sum of its streams`;
    }
    const digests = streams.map(({ digest }) => bytesOf(digest));
    if (toHex(digestOfStreams(this.#digests, digests)) === event.digest) return undefined;
    return `the digest of unit ${unit} is not that of its streams`;
  }

  #compareStream(unit: number, claimed: RecordedStream, kept: Kept | undefined): string | undefined {
    const digest = kept && toHex(kept.digest.digest());
    if (this.#unsure || kept?.capped) {
      return claimed.bytes < (kept?.bytes ?? 0) ? `unit ${unit} claims less output than is kept of it` : undefined;
    }
    if (claimed.bytes !== (kept?.bytes ?? 0)) {
      return `unit ${unit} claims ${claimed.bytes} bytes of output in a stream and has ${kept?.bytes ?? 0}`;
    }
    const expected = digest ?? toHex(this.#digests.sha256());
    return claimed.digest === expected ? undefined : `the digest of unit ${unit} is not that of its output`;
  }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
