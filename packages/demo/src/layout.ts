import { join } from 'node:path';
import type { RoleName } from './identity/cast.ts';

/** Where things lie in the demo's data directory. It is the gateway's data directory, too. */
export interface Layout {
  readonly root: string;
  readonly config: string;
  readonly policies: string;
  readonly database: string;
  readonly identity: string;
  readonly host: string;
  readonly crm: string;
  readonly runbooks: string;
  readonly tls: string;
  readonly tokens: string;
  readonly log: string;
  token(role: RoleName): string;
}

export function layout(root: string): Layout {
  const tokens = join(root, 'tokens');
  return {
    root,
    config: join(root, 'sluice.yaml'),
    policies: join(root, 'policies'),
    database: join(root, 'database'),
    identity: join(root, 'identity'),
    host: join(root, 'host'),
    crm: join(root, 'crm'),
    runbooks: join(root, 'runbooks'),
    tls: join(root, 'tls'),
    tokens,
    log: join(root, 'gateway.log'),
    token: (role) => join(tokens, `${role}.jwt`),
  };
}
