/**
 * A program: opens sessions and does nothing with them until its standard input closes. Arguments: how many, and the
 * application they call themselves; the rest is in libpq's variables. Says `ready` once all are open.
 */
import { Client } from 'pg';

const [, , count = '0', application = ''] = process.argv;
/** Logins at the same time. */
const width = 16;

async function open(): Promise<Client> {
  const client = new Client({ application_name: application, ssl: false });
  client.on('error', (error) => {
    process.stderr.write(`a session that should be idle ended: ${error.message}\n`);
    process.exit(1);
  });
  await client.connect();
  return client;
}

const clients: Client[] = [];
let left = Number(count);
await Promise.all(
  Array.from({ length: width }, async () => {
    while (left-- > 0) clients.push(await open());
  }),
);
process.stdout.write('ready\n');
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('end', resolve));
await Promise.all(clients.map((client) => client.end()));
