/**
 * A program: the least that a proxy in Node can be, a server of `node:http` and a pool of undici, and every byte passed on.
 * It decides, masks and records nothing. Argument: the target's port. Says its own on its first line.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const target = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 64 });

const server = createServer((request, response) => {
  const { method = 'GET', url = '/', headers } = request;
  const { connection: _, host: __, ...passed } = headers;
  const body = method === 'GET' || method === 'HEAD' ? null : request;
  target
    .stream({ method, path: url, headers: passed, body, opaque: response }, ({ statusCode, headers: answered }) => {
      response.writeHead(statusCode, answered);
      return response;
    })
    .catch((error: Error) => response.destroy(error));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.once('SIGTERM', () => process.exit(0));
