import type { Digests, Signer } from '../contract/crypto.ts';
import type { ActionAbout, RowPlaces } from '../contract/recorder.ts';
import { CoreError } from '../domain/error.ts';
import type { ActionFacts, RecordedColumn, RecordingEvent } from '../domain/recording-event.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';
import type { Counts, EndEvent, HeaderEvent } from './entry.ts';
import { eventTypes, formatVersion, sealPayload, toHex } from './format.ts';
import { FrameBuffer } from './frame-buffer.ts';
import type { ByteSink, Deflater, StartDigest } from './ports.ts';
import { ResultRows, type RowSettings } from './result-rows.ts';
import { sealMessage } from './seal.ts';
import { type OutputTotals, UnitOutputs } from './unit-outputs.ts';

export interface WriterPorts {
  readonly sink: ByteSink;
  readonly digests: Digests;
  readonly startDigest: StartDigest;
  readonly deflater: Deflater;
  readonly signer: Signer;
  /** Microseconds since the session started. */
  micros(): number;
}

export interface Finished {
  /** Identity of the recording, lower-case hex. */
  readonly head: string;
  /** Events before the seal. */
  readonly events: number;
  /** As it stands in the end event. */
  readonly reason: EndReason;
  readonly counts: Counts;
}

/** Unwritten bytes past which the writer writes on its own: bounds the memory of a session that never flushes. */
const flushAt = 256 * 1024;
// End and seal must fit what the sink keeps in reserve, so free text in the end event is short.
const errorLength = 256;

export class RecordingWriter {
  readonly #ports: WriterPorts;
  readonly #header: HeaderEvent;
  readonly #frames: FrameBuffer;
  readonly #rows: ResultRows;
  readonly #outputs: UnitOutputs;
  #durable: ReturnType<FrameBuffer['mark']>;
  #failure: CoreError | undefined;
  #sinkFailed = false;
  #lost: number | undefined;
  #finished: Finished | undefined;
  #units = 0;
  #allowed = 0;
  #denied = 0;
  #held = 0;
  #rowCount = 0;
  #rowBytes = 0;
  #outputBytes = 0;

  /** Appends magic and header; nothing is written before the first `flush`. */
  constructor(session: SessionInfo, policyHash: string, ports: WriterPorts, rows: RowSettings) {
    this.#ports = ports;
    this.#frames = new FrameBuffer(ports.digests, ports.deflater);
    this.#durable = this.#frames.mark();
    this.#rows = new ResultRows(ports.digests, ports.startDigest, rows, {
      rows: (payload) => void this.#frames.binary(eventTypes.rows, this.#ports.micros(), payload),
      capped: (afterRows, afterBytes) => void this.#text({ type: 'capped', afterRows, afterBytes }),
    });
    this.#outputs = new UnitOutputs(ports.digests, ports.startDigest, rows, {
      output: (payload, micros) => void this.#frames.binary(eventTypes.output, micros, payload),
      capped: (unit, stream, afterBytes) => void this.#text({ type: 'capped', afterRows: 0, afterBytes, unit, stream }),
      abandoned: (unit, totals) => void this.#unfinished(unit, totals),
      micros: () => this.#ports.micros(),
    });
    this.#header = {
      type: 'header',
      version: formatVersion,
      session: session.id,
      principal: session.principal,
      target: session.target,
      client: session.client,
      startedAt: session.startedAt,
      policyHash,
    };
    this.#frames.text(eventTypes.header, 0, JSON.stringify(this.#header));
  }

  /** Returns the event's number, counted from 0 (the header). Throws `CoreError('recording_failed')`. */
  append(event: RecordingEvent): number {
    this.#check();
    try {
      const number = this.#append(event);
      if (this.#frames.used > flushAt) this.flush();
      return number;
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  /** As `append` of an action event with these parts; what `facts` says is put into words once. */
  action({ unit, parameters, continues, spent, text }: ActionAbout, facts: ActionFacts): number {
    this.#check();
    try {
      this.#count(facts.effect);
      this.#settle();
      const carriesOut = continues === undefined ? '' : `,"continues":${continues}`;
      const parsed = spent.parse === undefined ? '' : `"parse":${spent.parse},`;
      const values = parameters.length === 0 ? '[]' : JSON.stringify(parameters);
      const about = `"unit":${unit}${carriesOut},"spent":{${parsed}"decide":${spent.decide}}`;
      const head = `{"type":"action",${about},"text":${JSON.stringify(text)},"parameters":${values},`;
      const number = this.#frames.words(eventTypes.action, this.#ports.micros(), head, wordsOf(facts));
      if (this.#frames.used > flushAt) this.flush();
      return number;
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  /** Rows of the current result, in the layout of the `rows` event; without `places` all of the bytes are one. */
  rows(bytes: Uint8Array, places: RowPlaces = wholeOf(bytes)): void {
    this.#addRows(bytes, places, false);
  }

  /** Rows of one cell each, whose bytes are at these places. */
  cells(bytes: Uint8Array, places: RowPlaces = wholeOf(bytes)): void {
    this.#addRows(bytes, places, true);
  }

  /** One synchronous write of everything appended since the last. Throws `CoreError('recording_failed')`. */
  flush(): void {
    this.#check();
    try {
      this.#settle();
      this.#write();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  /** Releases buffers while the session idles. */
  trim(): void {
    this.#rows.trim();
    this.#outputs.trim();
    this.#frames.trim();
  }

  /**
   * Appends end and seal and writes them. After a failed write the recording continues from the last event that was
   * written, so that even a full disk leaves a recording that verifies and says what is missing.
   * Throws `CoreError('recording_failed')` when not even that could be written; may then be tried again.
   */
  finish(reason: EndReason, error?: string): Finished {
    if (this.#finished) return this.#finished;
    if (!this.#sinkFailed) {
      try {
        this.#rows.reset();
        for (const unit of this.#outputs.units()) this.#unfinished(unit, this.#outputs.complete(unit));
        this.#write();
      } catch (cause) {
        this.#fail(cause);
      }
    }
    if (this.#durable.count === 0) throw this.#failure ?? new Error('there is nothing to seal');
    this.#lost ??= this.#frames.count - this.#durable.count;
    this.#frames.rewind(this.#durable);
    try {
      return this.#end(this.#lost > 0 ? 'recording_failed' : reason, error ?? this.#failure?.publicMessage);
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #end(reason: EndReason, error: string | undefined): Finished {
    const counts = this.#counts();
    const end: EndEvent = {
      type: 'end',
      reason,
      ...(error === undefined ? {} : { error: error.slice(0, errorLength) }),
      lost: this.#lost ?? 0,
      counts,
    };
    this.#frames.text(eventTypes.end, this.#ports.micros(), JSON.stringify(end));
    const events = this.#frames.count;
    const head = this.#frames.head;
    appendSeal(this.#frames, this.#header, this.#ports.signer);
    this.#write(true);
    this.#finished = { head: toHex(head), events, reason, counts };
    return this.#finished;
  }

  #addRows(bytes: Uint8Array, places: RowPlaces, cells: boolean): void {
    this.#check();
    try {
      this.#outputs.emit();
      this.#rows.add(bytes, places, cells);
      if (this.#frames.used > flushAt) this.flush();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #append(event: RecordingEvent): number {
    switch (event.type) {
      case 'rows':
        // Rows come through `row`, so that cap, counts and digest hold; a ready-made batch is none of the session's.
        throw new Error('rows events are made by the writer');
      case 'shape':
      case 'error':
        this.#rows.reset();
        break;
      case 'complete':
        return this.#complete(event);
      case 'output':
        // Output comes in pieces of any size: what it becomes is a batch, so its number is that of the next event.
        if (this.#rows.waiting) this.#rows.emit();
        this.#outputs.add(event.unit, event.stream, event.data);
        return this.#frames.count;
      case 'action':
        this.#count(event.effect);
        break;
      default:
        break;
    }
    this.#settle();
    if (event.type === 'input') return this.#content('input', event.unit, event.data);
    if (event.type === 'terminal') {
      if (event.direction === 'output') this.#outputBytes += event.data.length;
      return this.#content('terminal', event.unit, event.data, event.direction === 'input' ? 0 : 1);
    }
    return this.#text(event);
  }

  /** Rows and output that came before what is to be appended now. */
  #settle(): void {
    if (this.#rows.waiting) this.#rows.emit();
    this.#outputs.emit();
  }

  #complete({ unit, tag, unfinished, masking }: RecordingEvent & { type: 'complete' }): number {
    this.#outputs.emit();
    const outputs = this.#outputs.complete(unit);
    if (outputs) {
      this.#outputBytes += outputs.bytes;
      return this.#text({ type: 'complete', unit, tag, rows: 0, ...outputs, ...(unfinished ? { unfinished } : {}) });
    }
    const totals = this.#rows.complete();
    this.#rowCount += totals.rows;
    this.#rowBytes += totals.bytes;
    const more = { ...(unfinished ? { unfinished } : {}), ...(masking === undefined ? {} : { masking }) };
    return this.#text({ type: 'complete', unit, tag, ...totals, ...more });
  }

  /** Output whose end never came: how much it was is still worth knowing. */
  #unfinished(unit: number, totals: OutputTotals | undefined): void {
    if (!totals) return;
    this.#outputBytes += totals.bytes;
    this.#text({ type: 'complete', unit, tag: '', rows: 0, ...totals, unfinished: true });
  }

  /** Bytes that belong to a unit: its number, what else the type says, the bytes. */
  #content(type: 'input' | 'terminal', unit: number, data: Uint8Array, ...more: readonly number[]): number {
    const payload = new Uint8Array(4 + more.length + data.length);
    new DataView(payload.buffer).setUint32(0, unit);
    payload.set(more, 4);
    payload.set(data, 4 + more.length);
    return this.#frames.binary(eventTypes[type], this.#ports.micros(), payload);
  }

  #text(event: RecordingEvent): number {
    const micros = this.#ports.micros();
    if (event.type === 'shape') {
      return this.#frames.words(
        eventTypes.shape,
        micros,
        `{"type":"shape","unit":${event.unit},"columns":`,
        wordsOf(event.columns),
      );
    }
    return this.#frames.text(eventTypes[event.type], micros, JSON.stringify(event));
  }

  #count(effect: 'allow' | 'deny' | 'hold'): void {
    this.#units++;
    if (effect === 'allow') this.#allowed++;
    else if (effect === 'deny') this.#denied++;
    else this.#held++;
  }

  #counts(): Counts {
    return {
      units: this.#units,
      allowed: this.#allowed,
      denied: this.#denied,
      held: this.#held,
      rows: this.#rowCount,
      rowBytes: this.#rowBytes,
      outputBytes: this.#outputBytes,
    };
  }

  #write(last = false): void {
    if (this.#frames.used === 0) return;
    try {
      this.#ports.sink.write(this.#frames.waiting(), last);
    } catch (cause) {
      this.#sinkFailed = true;
      throw cause;
    }
    this.#frames.clear();
    this.#durable = this.#frames.mark();
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#finished) {
      throw new CoreError('session_over', 'gateway', 'The session is over.', { detail: 'recording already sealed' });
    }
  }

  #fail(cause: unknown): CoreError {
    this.#failure ??=
      cause instanceof CoreError
        ? cause
        : new CoreError('recording_failed', 'gateway', 'The session can no longer be recorded and was ended.', {
            cause,
            detail: `writing the recording failed: ${cause instanceof Error ? cause.message : String(cause)}`,
          });
    return this.#failure;
  }
}

function wholeOf(bytes: Uint8Array): RowPlaces {
  return { bounds: Uint32Array.of(0, bytes.length), count: 1 };
}

const words = new WeakMap<ActionFacts | readonly RecordedColumn[], Uint8Array>();
const encoder = new TextEncoder();

/** JSON, in UTF-8, of what an event says beside its numbers: the members behind those, and the brace at the end. */
function wordsOf(of: ActionFacts | readonly RecordedColumn[]): Uint8Array {
  let bytes = words.get(of);
  if (bytes === undefined) {
    const text = JSON.stringify(of);
    bytes = encoder.encode(Array.isArray(of) ? `${text}}` : text.slice(1));
    words.set(of, bytes);
  }
  return bytes;
}

/** Appends the seal over everything in the chain so far. */
export function appendSeal(frames: FrameBuffer, header: HeaderEvent, signer: Signer): void {
  const message = sealMessage({
    session: header.session,
    target: header.target.name,
    principal: header.principal.id,
    events: frames.count,
    head: frames.head,
  });
  const payload = new Uint8Array(sealPayload);
  for (let i = 0; i < 8; i++) payload[i] = Number.parseInt(signer.keyId.slice(i * 2, i * 2 + 2), 16);
  new DataView(payload.buffer).setBigUint64(8, BigInt(frames.count));
  payload.set(signer.sign(message), 16);
  frames.binary(eventTypes.seal, frames.time, payload, true);
}
