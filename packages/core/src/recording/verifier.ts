import type { Digests, SealVerifier } from '../contract/crypto.ts';
import { decodeFrame } from './decode.ts';
import type { AnyEvent, EndEvent, HeaderEvent, SealEvent } from './entry.ts';
import { type Fault, type FaultCode, keptFaults } from './fault.ts';
import { eventTypes, formatVersion, magic, sameBytes, toHex } from './format.ts';
import { type Frame, FrameReader, type ReaderItem } from './frame-reader.ts';
import { OutputCheck } from './output-check.ts';
import type { Inflater, StartDigest } from './ports.ts';
import { damageText } from './replay-reader.ts';
import { ResultCheck } from './result-check.ts';
import { sealMessage } from './seal.ts';
import { SeenHashes } from './seen-hashes.ts';

export interface VerifierPorts {
  readonly digests: Digests;
  readonly startDigest: StartDigest;
  readonly inflater: Inflater;
  readonly seals: SealVerifier;
}

export interface VerifyOptions {
  /** Session id that the recording must be of: the one asked for, or the one its file is named after. */
  readonly session?: string;
  /** Sees every event that could be read, in order. */
  onEvent?(event: AnyEvent): void;
}

export interface RecordingReport {
  /** From the header; absent when it could not be read. */
  readonly header?: HeaderEvent;
  readonly end?: EndEvent;
  /** Intact events, the seal not among them. */
  readonly events: number;
  /** SHA-256 of the last of them, lower-case hex: the recording's identity once it is sealed. */
  readonly head: string;
  /** Key that sealed it; absent without a seal. */
  readonly sealedBy?: string;
  /** The gateway died while it was written; it was sealed at the next start, up to the last whole event. */
  readonly recovered: boolean;
  /** Not sealed, nothing else wrong, and with reserved space at the end: still being written, or left by a crash. */
  readonly open: boolean;
  /** Units whose output did not come to its end: the session, or the gateway, ended first. No fault. */
  readonly unfinished: number;
  readonly faults: readonly Fault[];
  /** Faults found beyond those listed. */
  readonly moreFaults: number;
}

/** Checks one recording and reports every fault it can find. Never throws for anything the bytes say. */
export class RecordingVerifier {
  readonly #ports: VerifierPorts;
  readonly #options: VerifyOptions;
  readonly #reader = new FrameReader();
  readonly #results: ResultCheck;
  readonly #outputs: OutputCheck;
  readonly #faults: Fault[] = [];
  readonly #seen = new SeenHashes();
  #moreFaults = 0;
  /** Position in the file, counting damaged places too. */
  #position = 0;
  #events = 0;
  #last: Uint8Array;
  #damaged = false;
  #time = 0;
  #endOfData = 0;
  #reserve = false;
  #header: HeaderEvent | undefined;
  #end: EndEvent | undefined;
  #seal: { event: SealEvent; previous: Uint8Array; time: number; offset: number } | undefined;
  #trailing: { offset: number; bytes: number } | undefined;
  #recovered = false;

  constructor(ports: VerifierPorts, options: VerifyOptions = {}) {
    this.#ports = ports;
    this.#options = options;
    this.#last = ports.digests.sha256(magic);
    this.#results = new ResultCheck(ports.startDigest);
    this.#outputs = new OutputCheck(ports.digests, ports.startDigest);
  }

  /** The chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    this.#drain();
  }

  finish(): RecordingReport {
    this.#reader.finish();
    this.#drain();
    this.#conclude();
    const onlyUnsealed = this.#faults.every((fault) => fault.code === 'seal_missing' || fault.code === 'end_missing');
    return {
      ...(this.#header ? { header: this.#header } : {}),
      ...(this.#end ? { end: this.#end } : {}),
      events: this.#events,
      head: toHex(this.#last),
      ...(this.#seal ? { sealedBy: this.#seal.event.keyId } : {}),
      recovered: this.#recovered,
      unfinished: this.#outputs.unfinished,
      open: !this.#seal && this.#reserve && onlyUnsealed && this.#header !== undefined,
      faults: this.#faults,
      moreFaults: this.#moreFaults,
    };
  }

  #drain(): void {
    for (let item = this.#reader.next(); item; item = this.#reader.next()) this.#item(item);
  }

  #item(item: ReaderItem): void {
    if (item.kind === 'frame') {
      this.#endOfData = item.frame.offset + item.frame.hashed.length + 4;
      if (this.#seal) this.#behindSeal(item.frame.offset, this.#endOfData - item.frame.offset);
      else this.#frame(item.frame);
      return;
    }
    if (this.#seal) {
      this.#behindSeal(item.offset, item.bytes);
      return;
    }
    if (item.kind === 'reserve') {
      this.#reserve = true;
      return;
    }
    this.#endOfData = item.offset + item.bytes;
    this.#lost();
    // Damage to the magic hides no event; elsewhere one or more events are lost, and the chain with them.
    const hidesEvents = item.offset + item.bytes > magic.length;
    const message = `${damageText[item.reason]}; ${item.bytes} bytes from there cannot be read`;
    this.#fault(item.reason, item.offset, hidesEvents ? this.#position : undefined, message);
    if (!hidesEvents) return;
    this.#damaged = true;
    this.#position++;
  }

  #lost(): void {
    this.#results.lost();
    this.#outputs.lost();
  }

  #behindSeal(offset: number, bytes: number): void {
    this.#trailing = { offset: this.#trailing?.offset ?? offset, bytes: (this.#trailing?.bytes ?? 0) + bytes };
  }

  #frame(frame: Frame): void {
    const number = this.#position++;
    const hash = this.#ports.digests.sha256(frame.hashed);
    const damaged = this.#damaged;
    this.#damaged = false;
    // What damage hid cannot be hashed, so the first event behind it has nothing to be checked against.
    if (!damaged && !sameBytes(frame.previous, this.#last)) this.#chain(frame, number, hash);
    if (frame.time < this.#time) this.#fault('time', frame.offset, number, 'time runs backwards');
    else if (frame.type === eventTypes.seal && frame.time !== this.#time && !damaged) {
      this.#fault('time', frame.offset, number, 'the seal does not carry the time of the last event');
    }
    this.#time = frame.time;

    const decoded = decodeFrame(frame, this.#ports.inflater);
    if (frame.type !== eventTypes.seal) {
      this.#last = hash;
      this.#events++;
      this.#seen.add(hash, number);
      if (this.#end) this.#fault('after_end', frame.offset, number, 'an event after the end of the session');
    }
    if ('problem' in decoded) {
      this.#lost();
      this.#fault('content', frame.offset, number, decoded.problem);
      return;
    }
    const { event } = decoded;
    this.#options.onEvent?.(event);
    const totals = this.#outputs.owns(event) ? this.#outputs.next(event) : this.#results.next(event);
    if (totals !== undefined) this.#fault('totals', frame.offset, number, totals);
    if (number === 0 && event.type !== 'header') {
      this.#fault('header_missing', frame.offset, number, 'the recording does not begin with its header');
    }
    if (event.type === 'header') this.#readHeader(event, frame, number);
    else if (event.type === 'end') this.#end ??= event;
    else if (event.type === 'event' && event.name === 'recovered') this.#recovered = true;
    else if (event.type === 'seal') {
      this.#seal = { event, previous: frame.previous, time: frame.time, offset: frame.offset };
    }
  }

  #chain(frame: Frame, number: number, hash: Uint8Array): void {
    // Once a file has this many faults, what kind the next one is matters no more, and looking it up costs.
    if (this.#faults.length >= keptFaults) {
      this.#moreFaults++;
      return;
    }
    const copyOf = this.#seen.find(hash);
    if (copyOf !== undefined) {
      this.#fault('duplicate', frame.offset, number, `this is event ${copyOf} a second time`);
      return;
    }
    const follower = this.#seen.find(frame.previous);
    if (follower !== undefined) {
      const message = `this follows event ${follower}, not the one before it: events were moved, put in or replaced`;
      this.#fault('reordered', frame.offset, number, message);
      return;
    }
    const message =
      number === 0
        ? 'the first event does not follow the beginning of the file'
        : `this does not follow event ${number - 1}: that one was changed, events between them were removed, or this comes from another recording`;
    this.#fault('chain', frame.offset, number, message);
  }

  #readHeader(header: HeaderEvent, frame: Frame, number: number): void {
    if (this.#header || number > 0) {
      this.#fault('header_twice', frame.offset, number, 'a header where none belongs');
      if (this.#header) return;
    }
    this.#header = header;
    if (header.version !== formatVersion) {
      this.#fault('version', frame.offset, number, `format version ${header.version} is unknown here`);
    }
  }

  #conclude(): void {
    const { session } = this.#options;
    if (session !== undefined && this.#header && this.#header.session !== session) {
      this.#fault('name', 0, 0, `this is the recording of session ${this.#header.session}, not of ${session}`);
    }
    if (!this.#header)
      this.#fault('header_missing', 0, undefined, 'there is no readable header: whose session is this?');
    if (!this.#end) this.#fault('end_missing', this.#endOfData, undefined, 'there is no end event');
    if (this.#seal) this.#checkSeal(this.#seal);
    else {
      const message = this.#reserve
        ? 'there is no seal: still being written, or left by a crash'
        : 'there is no seal: cut, or left by a crash';
      this.#fault('seal_missing', this.#endOfData, undefined, message);
    }
    if (this.#trailing) {
      const { offset, bytes } = this.#trailing;
      this.#fault('trailing', offset, undefined, `${bytes} bytes behind the seal`);
    }
  }

  #checkSeal(seal: { event: SealEvent; previous: Uint8Array; time: number; offset: number }): void {
    const number = this.#position - 1;
    const { keyId, events, signature } = seal.event;
    if (events !== this.#events) {
      this.#fault('seal_count', seal.offset, number, `sealed with ${events} events, ${this.#events} are intact here`);
    }
    if (!this.#header) {
      const message = 'the seal cannot be checked without the header';
      this.#fault('seal_unchecked', seal.offset, number, message);
      return;
    }
    if (!this.#ports.seals.knows(keyId)) {
      this.#fault('foreign_key', seal.offset, number, `sealed with key ${keyId}, which is not among the trusted keys`);
      return;
    }
    // Against what the seal itself claims: whether the file is that, count and chain have said.
    const message = sealMessage({
      session: this.#header.session,
      target: this.#header.target.name,
      principal: this.#header.principal.id,
      events,
      head: seal.previous,
    });
    if (!this.#ports.seals.verify(keyId, message, signature)) {
      this.#fault('signature', seal.offset, number, 'the signature does not fit session, target, principal and events');
    }
  }

  #fault(code: FaultCode, offset: number, event: number | undefined, message: string): void {
    if (this.#faults.length >= keptFaults) {
      this.#moreFaults++;
      return;
    }
    this.#faults.push({ code, offset, ...(event === undefined ? {} : { event }), message });
  }
}

/** Checks one recording from its bytes. */
export async function verifyRecording(
  source: AsyncIterable<Uint8Array>,
  ports: VerifierPorts,
  options: VerifyOptions = {},
): Promise<RecordingReport> {
  const verifier = new RecordingVerifier(ports, options);
  for await (const chunk of source) verifier.push(chunk);
  return verifier.finish();
}
