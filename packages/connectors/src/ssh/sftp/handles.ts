import type { Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import { lastBytes } from '../transport/last-bytes.ts';
import type { FileReader } from './reader.ts';

/** Most files and directories that are open at once on one channel. */
export const mostHandles = 100;
/** The end of what was written before, so that a masked value that is cut in two is found. */
const remembered = 256;

/** Something that is open at the target, and what it was allowed for. */
export interface Open {
  readonly name: string;
  /** The target's own name of it. */
  readonly upstream: Buffer;
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Present when it was opened to be read. */
  readonly reader?: FileReader;
  readonly writes: boolean;
  /** The unit that opened it, and its number. */
  readonly unit: Unit;
  readonly handle: UnitHandle;
  readonly count: { read: number; written: number };
  /** When it was last asked whether policy still allows it. */
  checkedAt: number;
  readEnd: bigint;
}

/** The client's handles: names of the gateway's own, so that none reaches what the client did not open. */
export class Handles {
  readonly #open = new Map<string, Open>();
  readonly #written = new Map<string, { readonly end: bigint; readonly bytes: Buffer }>();
  #next = 0;

  get full(): boolean {
    return this.#open.size >= mostHandles;
  }

  add(open: Omit<Open, 'name' | 'count' | 'readEnd'>): Open {
    const added: Open = { ...open, name: String(this.#next++), count: { read: 0, written: 0 }, readEnd: 0n };
    this.#open.set(added.name, added);
    return added;
  }

  get(name: string): Open | undefined {
    return this.#open.get(name);
  }

  remove(name: string): void {
    this.#open.delete(name);
    this.#written.delete(name);
  }

  all(): readonly Open[] {
    return [...this.#open.values()];
  }

  /** What was written just before this place of the file. */
  before(name: string, offset: bigint): Buffer {
    const written = this.#written.get(name);
    return written?.end === offset ? written.bytes : Buffer.alloc(0);
  }

  wrote(name: string, offset: bigint, data: Buffer): void {
    const bytes = lastBytes(this.before(name, offset), data, remembered);
    this.#written.set(name, { end: offset + BigInt(data.length), bytes });
  }
}
