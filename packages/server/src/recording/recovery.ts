import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { copyFile, unlink } from 'node:fs/promises';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Digests, Signer } from '@sluice/core/contract/crypto.ts';
import { toHex } from '@sluice/core/recording/format.ts';
import type { Deflater, Inflater } from '@sluice/core/recording/ports.ts';
import { closingFrames, type Found, RecoveryScan } from '@sluice/core/recording/recovery.ts';
import { dayDirectories, findRecording, journalPrefix, type RecordingPath, recordingsIn } from './layout.ts';
import { openForReading, readChunks } from './read-file.ts';
import { journalHeads, leftOpenIn } from './sealed-before.ts';
import { SettledDays } from './settled-days.ts';
import { sealedHead } from './tail.ts';

/** What was found of a session that the last gateway did not close. */
export type Recovered =
  | {
      readonly kind: 'sealed';
      readonly session: string;
      readonly path: string;
      readonly events: number;
      readonly droppedBytes: number;
      readonly head: string;
      /** Unix milliseconds of the last event. */
      readonly lastEventAt: number;
    }
  /** Left as it is, because sealing it would vouch for something that is not so. */
  | { readonly kind: 'left'; readonly session: string; readonly path: string; readonly problem: string };

export interface RecoveryPorts {
  readonly digests: Digests;
  readonly signer: Signer;
  readonly deflater: Deflater;
  readonly inflater: Inflater;
  readonly log: Log;
  now(): number;
}

/**
 * Closes what a gateway that died has left open: reads every unsealed recording up to its last whole event, says so in
 * it, seals it. Journals first, because they tell which recordings had been sealed before. Run it before the first
 * session is opened, by the one gateway that holds the data directory.
 */
export async function recoverRecordings(dataDir: string, ports: RecoveryPorts): Promise<Recovered[]> {
  const unsealed = await findUnsealed(dataDir, ports);
  const journals = unsealed.filter(({ session }) => session.startsWith(journalPrefix));
  const sessions = unsealed.filter(({ session }) => !session.startsWith(journalPrefix));
  const recovered: Recovered[] = [];
  for (const file of journals) await recoverOne(file, undefined, ports, recovered);
  if (sessions.length > 0) {
    const heads = await journalHeads(dataDir, new Set(sessions.map(({ session }) => session)), ports.inflater);
    for (const file of sessions) await recoverOne(file, heads.get(file.session), ports, recovered);
  }
  for (const file of await sealedUnseen(dataDir, journals, sessions, ports)) {
    await recoverOne(file, undefined, ports, recovered);
  }
  return recovered;
}

/**
 * What was sealed when the gateway was gone already, by a worker that outlived it for a moment: the journal of then saw it
 * opened and nothing more, and the next one has to say as what it was sealed.
 */
async function sealedUnseen(
  dataDir: string,
  journals: readonly RecordingPath[],
  unsealed: readonly RecordingPath[],
  ports: RecoveryPorts,
): Promise<RecordingPath[]> {
  const found: RecordingPath[] = [];
  const known = new Set(unsealed.map(({ session }) => session));
  // One that never got its header was no journal, and is gone by now.
  for (const journal of journals.filter(isThere)) {
    for (const session of await leftOpenIn(journal.path, ports.inflater)) {
      const path = known.has(session) ? undefined : await findRecording(dataDir, session);
      if (path !== undefined) found.push({ session, path });
      known.add(session);
    }
  }
  return found;
}

/**
 * The same for these recordings alone, while others are being written: those of a process that is gone. What was sealed
 * already is taken as it is. Files that are not there are passed over.
 */
export async function recoverLeft(files: readonly RecordingPath[], ports: RecoveryPorts): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  for (const file of files) {
    if (isThere(file)) await recoverOne(file, undefined, ports, recovered);
  }
  return recovered;
}

function isThere({ path }: RecordingPath): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

async function findUnsealed(dataDir: string, ports: RecoveryPorts): Promise<RecordingPath[]> {
  const unsealed: RecordingPath[] = [];
  for (const directory of await dayDirectories(dataDir)) {
    const files = await recordingsIn(directory);
    const days = new SettledDays(directory, files);
    if (await days.settled()) continue;
    let open = 0;
    for (const file of files) {
      const handle = await openForReading(file.path);
      try {
        if ((await sealedHead(handle)) !== undefined) continue;
      } finally {
        await handle.close();
      }
      open++;
      unsealed.push(file);
    }
    if (open === 0) await days.settle(ports.log);
  }
  return unsealed;
}

async function recoverOne(
  file: RecordingPath,
  sealedAs: string | undefined,
  ports: RecoveryPorts,
  recovered: Recovered[],
): Promise<void> {
  const { session, path } = file;
  const leave = (problem: string): void => {
    ports.log.error({ session, path, problem }, 'a recording was left as it is');
    recovered.push({ kind: 'left', session, path, problem });
  };
  try {
    const handle = await openForReading(path, true);
    try {
      const result = await recoverFile(file, handle, sealedAs, ports);
      if (typeof result === 'string') leave(result);
      else if (result) recovered.push(result);
    } finally {
      await handle.close();
    }
  } catch (error) {
    leave(error instanceof Error ? error.message : String(error));
  }
}

async function recoverFile(
  { session, path }: RecordingPath,
  handle: FileHandle,
  sealedAs: string | undefined,
  ports: RecoveryPorts,
): Promise<Recovered | string | undefined> {
  const { size } = await handle.stat();
  if (size === 0) {
    // The gateway died between creating the file and writing the header: there was no session yet.
    await unlink(path);
    return undefined;
  }
  const scan = new RecoveryScan(ports.digests, ports.inflater);
  for await (const chunk of readChunks(handle, 0, size)) scan.push(chunk);
  const found = scan.finish();
  const { header } = found;
  if (!header) return 'its header cannot be read';
  if (header.session !== session) return `it is the recording of session ${header.session}`;
  if (sealedAs !== undefined) {
    if (!found.sealed) return `the journal saw it sealed (${sealedAs}), and the seal is gone`;
    if (toHex(found.chain.head) !== sealedAs) return `the journal saw it sealed as ${sealedAs}, it is another now`;
  }
  const dropped = await droppedTail(handle, found, size);
  if (found.sealed && dropped.bytes > 0) return `there are ${dropped.bytes} bytes behind its seal`;
  if (found.eventsBehind > 0) {
    // More than a torn tail. What is cut off must stay there to be looked at.
    await copyFile(path, `${path}.damaged-${ports.now()}`);
  }
  let end = found.wholeBytes;
  let { count: events, head } = found.chain;
  if (!found.sealed) {
    const facts = { at: ports.now(), droppedBytes: dropped.bytes, droppedDigest: dropped.digest };
    const closing = closingFrames(header, found, facts, ports);
    await writeAll(handle, closing.bytes, end);
    end += closing.bytes.length;
    ({ events, head } = closing);
  }
  await handle.truncate(end);
  await handle.sync();
  const lastEventAt = Math.round(header.startedAt + found.chain.time / 1000);
  const result: Recovered = {
    kind: 'sealed',
    session,
    path,
    events,
    droppedBytes: dropped.bytes,
    head: toHex(head),
    lastEventAt,
  };
  ports.log.warn(
    { ...result },
    found.sealed ? 'found a recording sealed' : 'sealed the recording of an interrupted session',
  );
  return result;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, position + offset);
    offset += bytesWritten;
  }
}

/** What stands behind the last whole event, without the zeros of the reserve at its end. */
async function droppedTail(handle: FileHandle, found: Found, size: number): Promise<{ bytes: number; digest: string }> {
  let bytes = 0;
  let seen = 0;
  for await (const chunk of readChunks(handle, found.wholeBytes, size)) {
    for (let i = chunk.length - 1; i >= 0; i--) {
      if (chunk[i] === 0) continue;
      bytes = seen + i + 1;
      break;
    }
    seen += chunk.length;
  }
  if (bytes === 0) return { bytes, digest: '' };
  const digest = createHash('sha256');
  for await (const chunk of readChunks(handle, found.wholeBytes, found.wholeBytes + bytes)) digest.update(chunk);
  return { bytes, digest: digest.digest('hex') };
}
