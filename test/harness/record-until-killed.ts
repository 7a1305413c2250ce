/**
 * A process that records statements as fast as it can until it is killed. Prints the number of each statement once its
 * flush has returned, which is when a gateway would send it on. Arguments: data directory, session id.
 */
import { writeSync } from 'node:fs';
import { openTestRecordings, testAction, testRow, testSession } from './recordings.ts';

const [dataDir = '', id = ''] = process.argv.slice(2);
const { recordings } = await openTestRecordings(dataDir);
const recorder = recordings.recorders.open({ ...testSession(id), startedAt: Date.now() }, 'hash');
const nap = new Int32Array(new SharedArrayBuffer(4));

/** The pipe may be full, and a synchronous write to it then fails instead of waiting. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(nap, 0, 0, 1);
    }
  }
}

for (let unit = 1; ; unit++) {
  recorder.append(testAction(unit, `SELECT ${unit} /* ${'x'.repeat(unit % 700)} */`));
  recorder.flush();
  say(`${unit}\n`);
  recorder.append({ type: 'shape', unit, columns: [{ name: 'n', type: 'int4', format: 'text' }] });
  for (let row = 0; row < unit % 50; row++) recorder.rows(testRow(String(row)));
  recorder.append({ type: 'complete', unit, tag: 'SELECT', rows: 0, bytes: 0, digest: '' });
}
