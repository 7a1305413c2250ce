import { crc32c } from './crc32c.ts';
import {
  crcBytes,
  eventTypeName,
  flagDeflated,
  flagsAt,
  lengthBase,
  magic,
  maxLength,
  payloadAt,
  previousAt,
  timeAt,
  typeAt,
} from './format.ts';

/** One whole frame whose checksum is right. The views stay valid for ever. */
export interface Frame {
  readonly offset: number;
  readonly type: number;
  readonly flags: number;
  /** Microseconds since the start of the session. */
  readonly time: number;
  readonly previous: Uint8Array;
  /** As stored. */
  readonly payload: Uint8Array;
  /** What the next event's `previous` is the SHA-256 of: the frame without its checksum. */
  readonly hashed: Uint8Array;
}

export type DamageReason = 'magic' | 'length' | 'checksum' | 'cut' | 'too_damaged';

export type ReaderItem =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** Bytes that are no whole, intact frame. */
  | { readonly kind: 'damage'; readonly offset: number; readonly bytes: number; readonly reason: DamageReason }
  /** Zeros up to the end of the file: space that a recording in progress keeps for itself. */
  | { readonly kind: 'reserve'; readonly offset: number; readonly bytes: number };

interface Damage {
  /** File offset. */
  readonly at: number;
  reason: DamageReason;
  /** Where in the buffer the search goes on; `claimed`: where the damaged frame says it ends. */
  next: number | 'claimed';
}

const none = new Uint8Array(0);

/**
 * Bytes spent on checking candidates while looking for the next intact frame behind damage. A file made of false
 * beginnings would otherwise cost the square of its size.
 */
const searchBudget = 128 * 1024 * 1024;

/**
 * Splits a file into frames, however it is cut into chunks. Never throws for anything the bytes say, and never
 * allocates more than twice what was pushed: a claimed length is waited for, not believed.
 */
export class FrameReader {
  #bytes: Uint8Array = none;
  /** Whether `#bytes` is ours to append to, not a chunk that was pushed. */
  #own = false;
  #view: DataView = new DataView(none.buffer);
  /** Unread part of `#bytes`. */
  #start = 0;
  #end = 0;
  /** File offset of `#bytes[0]`. */
  #base = 0;
  #ended = false;
  #magicRead = false;
  #zeros = -1;
  #damage: Damage | undefined;
  #budget = searchBudget;

  push(chunk: Uint8Array): void {
    const left = this.#end - this.#start;
    if (left === 0) {
      this.#base += this.#start;
      this.#adopt(chunk, chunk.length);
      return;
    }
    if (this.#end + chunk.length > this.#bytes.length || !this.#own) {
      const next = new Uint8Array(Math.max(left + chunk.length, Math.min(left * 2, left + 16 * 1024 * 1024)));
      next.set(this.#bytes.subarray(this.#start, this.#end));
      this.#base += this.#start;
      if (typeof this.#damage?.next === 'number') this.#damage.next -= this.#start;
      this.#adopt(next, left);
      this.#own = true;
    }
    // Only bytes behind `#end` are written: views that were handed out keep what they showed.
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #adopt(bytes: Uint8Array, end: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = 0;
    this.#end = end;
    this.#own = false;
  }

  /** No more bytes will come. */
  finish(): void {
    this.#ended = true;
  }

  /** Undefined when more bytes are needed, or, after `finish`, when everything was read. */
  next(): ReaderItem | undefined {
    if (!this.#magicRead) {
      if (this.#end - this.#start < magic.length && !this.#ended) return undefined;
      this.#magicRead = true;
      const item = this.#readMagic();
      if (item) return item;
    }
    if (this.#zeros >= 0) return this.#readZeros();
    if (this.#damage) return this.#search(this.#damage);
    const available = this.#end - this.#start;
    if (available === 0 || (available < 4 && !this.#ended)) return undefined;
    if (available >= 4 && this.#view.getUint32(this.#start) === 0) {
      this.#zeros = this.#base + this.#start;
      return this.#readZeros();
    }
    const found = this.#look(this.#start);
    if (found === 'more') {
      if (!this.#ended) return undefined;
      return this.#search(this.#damaged('cut'));
    }
    if (found === 'length' || found === 'checksum') return this.#search(this.#damaged(found));
    return { kind: 'frame', frame: this.#take(found) };
  }

  #readMagic(): ReaderItem | undefined {
    const offset = this.#base + this.#start;
    const available = Math.min(magic.length, this.#end - this.#start);
    let same = 0;
    while (same < available && this.#bytes[this.#start + same] === magic[same]) same++;
    if (same === magic.length) {
      this.#start += magic.length;
      return undefined;
    }
    if (available === magic.length && typeof this.#look(this.#start + magic.length) !== 'string') {
      this.#start += magic.length;
      return { kind: 'damage', offset, bytes: magic.length, reason: 'magic' };
    }
    return this.#search(this.#damaged('magic'));
  }

  /** What stands at `at`: a frame (its size), or why not. */
  #look(at: number): number | 'more' | 'length' | 'checksum' {
    const available = this.#end - at;
    if (available < 4) return 'more';
    const length = this.#view.getUint32(at);
    if (length < lengthBase || length > maxLength) return 'length';
    const size = 4 + length + crcBytes;
    if (available < size) return 'more';
    const crc = this.#view.getUint32(at + 4 + length);
    if (crc32c(this.#bytes, at, at + 4 + length) === crc) return size;
    this.#budget -= length;
    return 'checksum';
  }

  #take(size: number): Frame {
    const at = this.#start;
    const end = at + size - crcBytes;
    this.#start += size;
    return {
      offset: this.#base + at,
      type: this.#view.getUint8(at + typeAt),
      flags: this.#view.getUint8(at + flagsAt),
      time: this.#view.getUint16(at + timeAt) * 2 ** 32 + this.#view.getUint32(at + timeAt + 2),
      previous: this.#bytes.subarray(at + previousAt, at + payloadAt),
      payload: this.#bytes.subarray(at + payloadAt, end),
      hashed: this.#bytes.subarray(at, end),
    };
  }

  #damaged(reason: DamageReason): Damage {
    this.#damage = { at: this.#base + this.#start, reason, next: 'claimed' };
    return this.#damage;
  }

  /** Looks for the next intact frame: first where the damaged one says it ends, then at every byte. */
  #search(damage: Damage): ReaderItem | undefined {
    if (damage.next === 'claimed') {
      const claimed = this.#claimedEnd();
      if (claimed !== undefined) {
        if (claimed === this.#end && this.#ended) return this.#resume(damage, claimed);
        const found = claimed > this.#end ? 'more' : this.#candidate(claimed);
        if (found === 'yes') return this.#resume(damage, claimed);
        if (found === 'more' && !this.#ended) return undefined;
      }
      damage.next = this.#start + 1;
    }
    for (; damage.next < this.#end && this.#budget >= 0; damage.next++) {
      const found = this.#candidate(damage.next);
      if (found === 'yes') return this.#resume(damage, damage.next);
      if (found === 'more' && !this.#ended) return undefined;
    }
    if (this.#budget < 0) {
      damage.reason = 'too_damaged';
      this.#start = this.#end;
    }
    return this.#ended ? this.#resume(damage, this.#end) : undefined;
  }

  #claimedEnd(): number | undefined {
    if (this.#end - this.#start < 4) return undefined;
    const length = this.#view.getUint32(this.#start);
    return length < lengthBase || length > maxLength ? undefined : this.#start + 4 + length + crcBytes;
  }

  #candidate(at: number): 'yes' | 'no' | 'more' {
    const available = this.#end - at;
    if (available < timeAt) return 'more';
    const length = this.#view.getUint32(at);
    if (length < lengthBase || length > maxLength) return 'no';
    if (this.#view.getUint8(at + flagsAt) > flagDeflated) return 'no';
    if (eventTypeName(this.#view.getUint8(at + typeAt)) === undefined) return 'no';
    const found = this.#look(at);
    return typeof found === 'number' ? 'yes' : found === 'more' ? 'more' : 'no';
  }

  #resume(damage: Damage, to: number): ReaderItem {
    // What looked like a cut was a wrong length when intact frames follow.
    const reason = damage.reason === 'cut' && to < this.#end ? 'length' : damage.reason;
    this.#start = to;
    this.#damage = undefined;
    return { kind: 'damage', offset: damage.at, bytes: this.#base + to - damage.at, reason };
  }

  #readZeros(): ReaderItem | undefined {
    let at = this.#start;
    while (at < this.#end && this.#bytes[at] === 0) at++;
    // The length of a frame behind the zeros begins with zeros of its own: three stay unread.
    this.#start = Math.max(this.#start, at - 3);
    const offset = this.#zeros;
    if (at < this.#end) {
      this.#zeros = -1;
      this.#damage = { at: offset, reason: 'length', next: this.#start };
      return this.#search(this.#damage);
    }
    if (!this.#ended) return undefined;
    this.#zeros = -1;
    this.#start = this.#end;
    return { kind: 'reserve', offset, bytes: this.#base + this.#end - offset };
  }
}
