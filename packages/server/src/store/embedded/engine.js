// The embedded database: PGlite in a worker thread, fed with whole batches of PostgreSQL wire messages. It knows no SQL
// of ours. Plain JavaScript on purpose: a worker does not inherit the loader that runs TypeScript from sources.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const database = new PGlite({ dataDir: workerData.dir });

try {
  await database.waitReady;
  parentPort.postMessage({ kind: 'ready' });
} catch (error) {
  parentPort.postMessage({ kind: 'failed', message: String(error?.message ?? error) });
}

let work = Promise.resolve();

parentPort.on('message', (message) => {
  work = work.then(() => (message.kind === 'close' ? close() : execute(message)));
});

async function execute({ id, batch }) {
  try {
    const answer = await database.execProtocolRaw(batch);
    parentPort.postMessage({ kind: 'answer', id, answer }, [answer.buffer]);
  } catch (error) {
    parentPort.postMessage({ kind: 'error', id, message: String(error?.message ?? error) });
  }
}

async function close() {
  try {
    await database.close();
  } finally {
    parentPort.postMessage({ kind: 'closed' });
    parentPort.close();
  }
}
