import { readFileSync } from 'node:fs';

/** Whom a server of ours runs as: PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** Undefined when this process is not root and so can run servers itself. */
export function serverUser(passwd = '/etc/passwd'): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = new Map<string, ServerUser>();
  for (const line of readFileSync(passwd, 'utf8').split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    if (uid !== undefined && gid !== undefined) users.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  const user = users.get('postgres') ?? users.get('nobody');
  if (!user)
    throw new Error(`Running as root, and ${passwd} has neither a user "postgres" nor "nobody" to run a server as.`);
  return user;
}
