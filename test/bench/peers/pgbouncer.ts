import { existsSync } from 'node:fs';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath } from '../../harness/clients.ts';
import { freePort } from '../../harness/free-port.ts';
import { createTestCa } from '../../harness/test-ca.ts';
import { serverUser } from '../../harness/unprivileged.ts';
import type { Way } from '../load/pgbench.ts';
import type { Skipped } from '../rows/row.ts';
import { account, type Database, databaseName } from './database.ts';
import { scratchFolder } from './left-behind.ts';
import { startServerProgram } from './server-program.ts';

export interface PgBouncer {
  readonly way: Way;
  /** Path of the authority of its certificate. */
  readonly ca: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const packaged = '/usr/sbin/pgbouncer';

/** Where PgBouncer is, or why it is left out. */
export function findPgBouncer(): ReturnType<typeof findOnPath> {
  return existsSync(packaged) ? { there: true, path: packaged, version: '' } : findOnPath('pgbouncer');
}

/**
 * PgBouncer in session mode, as an account without rights. Otherwise as it comes, but for room for the clients. It has
 * the server's own SCRAM secret, with which it need not derive keys at any login: the fastest way it knows. `more` are lines for its configuration.
 */
export async function startPgBouncer(database: Database, more = ''): Promise<PgBouncer | Skipped> {
  const found = findPgBouncer();
  if (!found.there) return { skipped: found.reason };
  const home = await scratchFolder('bouncer');
  const folder = home.path;
  const { cert, key, ca } = await certificate();
  const port = await freePort();
  const files = {
    'server.crt': cert,
    'server.key': key,
    'ca.crt': ca,
    'users.txt': `"${account}" "${database.scramSecret}"\n`,
    'pgbouncer.ini': `${configuration(database, port, folder)}${more}`,
  };
  const user = serverUser();
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    if (user) await chown(join(folder, name), user.uid, user.gid);
  }
  if (user) await chown(folder, user.uid, user.gid);
  await chmod(folder, 0o755);
  const server = startServerProgram(found.path, [join(folder, 'pgbouncer.ini')], {
    cwd: folder,
    log: join(folder, 'log'),
    user,
  });
  await server.listening(port);
  return {
    way: { ...database.way, port },
    ca: join(folder, 'ca.crt'),
    pid: server.pid,
    stop: async () => {
      await server.kill();
      await home.remove();
    },
  };
}

function configuration(database: Database, port: number, folder: string): string {
  return `[databases]
${databaseName} = host=${database.way.host} port=${database.way.port} dbname=${databaseName}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, 'users.txt')}
pool_mode = session
max_client_conn = 1300
default_pool_size = 1200
ignore_startup_parameters = extra_float_digits
client_tls_sslmode = allow
client_tls_cert_file = ${join(folder, 'server.crt')}
client_tls_key_file = ${join(folder, 'server.key')}
`;
}

async function certificate(): Promise<{ cert: string; key: string; ca: string }> {
  const ca = await createTestCa();
  return { ...(await ca.issue(['127.0.0.1', 'localhost'])), ca: ca.cert };
}
