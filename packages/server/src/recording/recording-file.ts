import { dirname } from 'node:path';
import type { ByteSink } from '@sluice/core/recording/ports.ts';
import type { Disk } from './disk.ts';

/** Space behind the data that only the closing of the recording may use: end and seal are far below this. */
const reserve = 4096;
const mostSlack = 64 * 1024;
const zeros = new Uint8Array(reserve + mostSlack);

/** Bytes written and not yet synced past which a session is asked to wait. */
const behindAt = 8 * 1024 * 1024;

/**
 * One recording's file. It always reaches at least `reserve` bytes of zeros beyond its data, already written and so
 * already allocated: when the disk is full, the last events still fit. (A file system that copies on write or shares
 * blocks may refuse even that; such a recording is then sealed at the next start.)
 */
export class RecordingFile implements ByteSink {
  readonly path: string;
  readonly #disk: Disk;
  readonly #fd: number;
  #at = 0;
  #allocated = 0;
  #unsynced = 0;
  #broken: Error | undefined;
  #directorySynced = false;
  #closed = false;
  #syncing: Promise<void> | undefined;
  readonly #ready: (() => void)[] = [];

  /** Throws what the operating system says. */
  constructor(path: string, disk: Disk) {
    disk.createDirectory(dirname(path));
    this.path = path;
    this.#disk = disk;
    this.#fd = disk.create(path);
  }

  get size(): number {
    return this.#at;
  }

  get unsynced(): boolean {
    return this.#unsynced > 0;
  }

  get behind(): boolean {
    return this.#unsynced > behindAt;
  }

  /** Called once, as soon as the disk has caught up. */
  onReady(callback: () => void): void {
    if (this.behind) this.#ready.push(callback);
    else queueMicrotask(callback);
  }

  write(bytes: Uint8Array, last: boolean): void {
    if (this.#broken && !last) throw this.#broken;
    const end = this.#at + bytes.length;
    if (!last && end + reserve > this.#allocated) this.#extend(bytes, end);
    else this.#put(bytes, this.#at, 0);
    this.#at = end;
    this.#unsynced += bytes.length;
  }

  /**
   * Data and the zeros behind it in one system call. More zeros than needed, so that most writes need none; but who
   * writes much at once needs some each time, and would write everything twice.
   */
  #extend(bytes: Uint8Array, end: number): void {
    const slack = bytes.length > mostSlack / 2 ? 0 : Math.min(Math.max(end, 4096), mostSlack);
    const space = zeros.subarray(0, reserve + slack);
    const written = this.#disk.writeBoth(this.#fd, bytes, space, this.#at);
    if (written < bytes.length) this.#put(bytes, this.#at, written);
    this.#put(space, end, Math.max(written - bytes.length, 0));
    this.#allocated = end + space.length;
  }

  #put(bytes: Uint8Array, position: number, from: number): void {
    for (let offset = from; offset < bytes.length; ) {
      const written = this.#disk.write(this.#fd, bytes, offset, position + offset);
      if (written <= 0) throw new Error('the disk took no bytes');
      offset += written;
    }
  }

  /** `durability: strict`. */
  syncNow(): void {
    try {
      this.#disk.syncNow(this.#fd);
    } catch (error) {
      this.#broken ??= error as Error;
      throw error;
    }
    this.#unsynced = 0;
  }

  /** Never rejects: a failed sync breaks the file, and the next write says so. */
  sync(): Promise<void> {
    this.#syncing ??= this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #sync(): Promise<void> {
    const covered = this.#unsynced;
    try {
      await this.#disk.sync(this.#fd);
      // A file whose name is not on disk is lost with the power, whatever was synced into it.
      if (!this.#directorySynced) await this.#disk.syncDirectory(dirname(this.path));
      this.#directorySynced = true;
    } catch (error) {
      // What the kernel could not write it may have dropped: a later sync that succeeds proves nothing.
      this.#broken ??= error as Error;
    }
    this.#unsynced = Math.max(this.#unsynced - covered, 0);
    if (!this.behind) for (const callback of this.#ready.splice(0)) callback();
  }

  /** Gives back the reserve, makes the rest durable. Rejects with what went wrong; the file is closed anyway. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#syncing;
    try {
      this.#disk.truncate(this.#fd, this.#at);
      await this.sync();
      if (this.#broken) throw this.#broken;
    } finally {
      await this.#disk.close(this.#fd);
    }
  }

  /** Removes a file that never became a recording. */
  async abandon(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#disk.remove(this.path);
    await this.#disk.close(this.#fd);
  }
}
