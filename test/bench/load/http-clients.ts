/**
 * A program: requests one address over and over, from so many connections, each waiting for its answer, until the time is
 * up. Every answer must be the same as the first. Its argument is an `HttpLoad` as JSON; says an `HttpMeasured` as JSON.
 */
import { createHash } from 'node:crypto';
import { Pool } from 'undici';
import type { HttpLoad, HttpMeasured } from './http-load.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as HttpLoad;
const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
const headers = load.token === undefined ? {} : { authorization: `Bearer ${load.token}` };
const deadline = performance.now() + load.seconds * 1000;
const started = performance.now();
let requests = 0;
let first: Buffer | undefined;

async function client(): Promise<void> {
  while (performance.now() < deadline && requests < load.most) {
    requests++;
    const { statusCode, body } = await pool.request({ method: 'GET', path: load.path, headers });
    const answer = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`answer ${statusCode}: ${answer.toString().slice(0, 500)}`);
    first ??= answer;
    if (!answer.equals(first)) throw new Error('an answer is not the same as the first one');
  }
}

await Promise.all(Array.from({ length: load.connections }, client));
const measured: HttpMeasured = {
  requests,
  milliseconds: performance.now() - started,
  digest: createHash('sha256')
    .update(first ?? '')
    .digest('hex'),
  body: (first ?? '').toString(),
};
await pool.close();
process.stdout.write(`${JSON.stringify(measured)}\n`);
