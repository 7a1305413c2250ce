import { access, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningDatabase } from './database/database.ts';
import type { RunningIdentityProvider } from './identity/identity-provider.ts';
import type { Layout } from './layout.ts';

export interface Ports {
  /** 0 for any free one. */
  readonly api: number;
  readonly postgres: number;
}

const shippedPolicies = fileURLToPath(new URL('../policies/', import.meta.url));

/** Writes sluice.yaml, which follows the ports of each start, and the policies, which belong to the reader once they are there. */
export async function writeConfiguration(
  at: Layout,
  ports: Ports,
  database: RunningDatabase,
  identity: RunningIdentityProvider,
): Promise<void> {
  await mkdir(at.policies, { recursive: true });
  for (const name of await readdir(shippedPolicies)) {
    const policy = join(at.policies, name);
    if (!(await exists(policy))) await copyFile(join(shippedPolicies, name), policy);
  }
  await writeFile(at.config, document(ports, database, identity), { mode: 0o600 });
}

function document(ports: Ports, database: RunningDatabase, identity: RunningIdentityProvider): string {
  return `# The demo's configuration. Written anew at every start, so change a copy of it; the policies beside it are yours.
# Paths are relative to this file.

listen:
  api: 127.0.0.1:${ports.api}
  postgres: 127.0.0.1:${ports.postgres}

# Made by the demo for localhost; clients trust tls/ca.crt.
tls:
  cert: tls/server.crt
  key: tls/server.key

# Recordings, signing keys and the store.
data_dir: .
store: embedded

# Who may prove to be somebody: the demo's own identity provider, found by OpenID Connect discovery.
identity:
  issuers:
    - issuer: ${identity.issuer}
      audience: ${identity.audience}
      groups_claim: groups
      kind_claim: kind
      owner_claim: owner

# What can be reached. Clients say dbname=shop; they never see this account.
targets:
  - name: shop
    connector: postgres
    address: ${database.host}:${database.port}
    database: ${database.database}
    # Plain text is fine here only because the server listens on loopback.
    tls: disable
    credential:
      username: ${database.gatewayUser}
      password: file:database/gateway-password
    tags: [env=demo]

policies:
  - policies/*.cedar

# Which data is sensitive, as <target>.<schema>.<table>.<column>; * in any place. It is masked for everyone whom no policy
# permits to \`reveal\` the label, also through views, aliases, expressions and COPY.
masking:
  labels:
    pii.email: [shop.public.customers.email]
    pii.phone: [shop.*.*.phone]
    pii.national_id: [shop.public.customers.national_id]
    pci.card: [shop.*.payments.card_number]
  strategies:
    pii.email: partial # the first letter and the top-level domain stay
    pii.phone: redact # nothing stays
    pii.national_id: hash # equal values look equal, so that they can be joined and counted
    pci.card: partial # the last four digits stay

approvals:
  park: 30s # how long a held statement waits before the client is told to come back
`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
