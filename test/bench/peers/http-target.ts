/**
 * A program: an API with one answer, twenty customers as JSON. It is the target of the rows about HTTP; says its port on
 * its first line.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const customer = (n: number) => ({
  id: n,
  name: `Customer ${n}`,
  email: `customer.${n}@example.com`,
  phone: `+49 30 ${1_000_000 + n}`,
  city: `City ${n % 7}`,
  orders: [{ id: n * 10, total: n * 12.5, state: 'paid' }],
});
const body = Buffer.from(JSON.stringify({ items: Array.from({ length: 20 }, (_, n) => customer(n + 1)), next: null }));

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.once('SIGTERM', () => process.exit(0));
