import { access, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningCrm } from './crm/crm.ts';
import type { RunningDatabase } from './database/database.ts';
import type { RunningHost } from './host/host.ts';
import type { RunningIdentityProvider } from './identity/identity-provider.ts';
import type { Layout } from './layout.ts';
import type { Ports } from './ports.ts';
import { onCallCommand, type RunningRunbooks } from './runbooks/runbooks.ts';

/** What the gateway is put in front of, and whose tokens it takes. */
export interface Surroundings {
  readonly database: Pick<RunningDatabase, 'host' | 'port' | 'database' | 'gatewayUser'>;
  readonly host: Pick<RunningHost, 'host' | 'port' | 'user' | 'hostKeys'>;
  readonly crm: Pick<RunningCrm, 'host' | 'port'>;
  readonly runbooks: Pick<RunningRunbooks, 'host' | 'port' | 'path'>;
  readonly identity: Pick<RunningIdentityProvider, 'issuer' | 'audience'>;
}

const shippedPolicies = fileURLToPath(new URL('../policies/', import.meta.url));

/** Writes sluice.yaml, which follows the ports of each start, and the policies, which belong to the reader once they are there. */
export async function writeConfiguration(at: Layout, ports: Ports, surroundings: Surroundings): Promise<void> {
  await mkdir(at.policies, { recursive: true });
  for (const name of await readdir(shippedPolicies)) {
    const policy = join(at.policies, name);
    if (!(await exists(policy))) await copyFile(join(shippedPolicies, name), policy);
  }
  await writeFile(at.config, document(ports, surroundings), { mode: 0o600 });
}

function document(ports: Ports, { database, host, crm, runbooks, identity }: Surroundings): string {
  return `# The demo's configuration. Written anew at every start, so change a copy of it; the policies beside it are yours.
# Paths are relative to this file.

listen:
  api: 127.0.0.1:${ports.api}
  postgres: 127.0.0.1:${ports.postgres}
  ssh: 127.0.0.1:${ports.ssh}
  http: 127.0.0.1:${ports.http}
  mcp: 127.0.0.1:${ports.mcp}

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

# What can be reached. Clients never see any of these credentials.
targets:
  # psql says dbname=shop.
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

  # ssh says build-host@.
  - name: build-host
    connector: ssh
    address: ${host.host}:${host.port}
    # Known by its key: there is no trust on first use.
    host_keys:
${host.hostKeys.map((key) => `      - ${key}`).join('\n')}
    credential:
      username: ${host.user}
      private_key: file:host/gateway-key
    tags: [env=demo]

  # curl says /t/crm/….
  - name: crm
    connector: http
    address: ${crm.host}:${crm.port}
    tls: disable
    credential:
      bearer: file:crm/token
    tags: [env=demo]

  # MCP clients say /mcp/runbooks.
  - name: runbooks
    connector: mcp
    address: ${runbooks.host}:${runbooks.port}
    path: ${runbooks.path}
    tls: disable
    credential:
      bearer: file:runbooks/token
    tags: [env=demo]

  # The same for an MCP server that is a program: it is started for each session.
  - name: on-call
    connector: mcp
    command: ${JSON.stringify(onCallCommand)}
    tags: [env=demo]

policies:
  - policies/*.cedar

# Which data is sensitive: columns as <target>.<schema>.<table>.<column>, members of JSON as <target>.**.<member>; * in any
# place. It is masked for everyone whom no policy permits to \`reveal\` the label, also through views, aliases, expressions
# and COPY. In what has neither columns nor members (output of commands, texts of tools), e-mail addresses, keys and the
# like are found by their look.
masking:
  labels:
    pii.email: [shop.public.customers.email, crm.**.email, on-call.**.email]
    pii.phone: [shop.*.*.phone, crm.**.phone, on-call.**.phone]
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
