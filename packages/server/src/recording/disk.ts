import {
  close,
  constants,
  fdatasync,
  fdatasyncSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';

/** What recording needs of the operating system; tests put a full or broken disk in its place. */
export interface Disk {
  createDirectory(path: string): void;
  /** A new file, only for its owner; fails when it exists. Returns the descriptor. */
  create(path: string): number;
  /** Returns how many bytes were taken. */
  write(fd: number, bytes: Uint8Array, offset: number, position: number): number;
  writeBoth(fd: number, first: Uint8Array, second: Uint8Array, position: number): number;
  truncate(fd: number, size: number): void;
  remove(path: string): void;
  syncNow(fd: number): void;
  sync(fd: number): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  close(fd: number): Promise<void>;
}

export const realDisk: Disk = {
  createDirectory: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  create: (path) =>
    openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600),
  write: (fd, bytes, offset, position) => writeSync(fd, bytes, offset, bytes.length - offset, position),
  writeBoth: (fd, first, second, position) => writevSync(fd, [first, second], position),
  truncate: (fd, size) => ftruncateSync(fd, size),
  remove: (path) => unlinkSync(path),
  syncNow: (fd) => fdatasyncSync(fd),
  sync: (fd) => promised((done) => fdatasync(fd, done)),
  syncDirectory: async (path) => {
    const fd = await new Promise<number>((resolve, reject) => {
      open(path, 'r', (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    try {
      await promised((done) => fsync(fd, done));
    } finally {
      await promised((done) => close(fd, done));
    }
  },
  close: (fd) => promised((done) => close(fd, done)),
};

function promised(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
