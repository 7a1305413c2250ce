/**
 * A process that records statements as fast as it can until it is killed. Prints the number of each statement once its
 * flush has returned, which is when a gateway would send it on. Arguments: data directory, session id.
 */
import { writeSync } from 'node:fs';
import { openTestRecordings, testAction, testRow, testSession } from './recordings.ts';

const [dataDir = '', id = ''] = process.argv.slice(2);
const { recordings } = await openTestRecordings(dataDir);
const recorder = recordings.recorders.open({ ...testSession(id), startedAt: Date.now() }, 'hash');
for (let unit = 1; ; unit++) {
  recorder.append(testAction(unit, `SELECT ${unit} /* ${'x'.repeat(unit % 700)} */`));
  recorder.flush();
  writeSync(1, `${unit}\n`);
  recorder.append({ type: 'shape', unit, columns: [{ name: 'n', type: 'int4', format: 'text' }] });
  for (let row = 0; row < unit % 50; row++) recorder.row(testRow(String(row)));
  recorder.append({ type: 'complete', unit, tag: 'SELECT', rows: 0, bytes: 0, digest: '' });
}
