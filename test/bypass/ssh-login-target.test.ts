// The target's side of a login over SSH: who answers there with another key than the pinned one gets nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ContractTarget } from '../contract/adapter.ts';
import { sshAdapter } from '../contract/ssh.ts';
import type { SshStandIn } from '../harness/ssh-stand-in.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

type Target = ContractTarget & { readonly server: SshStandIn };

let real: Target;
let other: Target;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-bypass-ssh-'));
  real = (await sshAdapter.startTarget()) as Target;
  other = (await sshAdapter.startTarget()) as Target;
});

afterAll(async () => {
  await real?.stop();
  await other?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('a server with another host key is refused, and shown no credential', async () => {
  const { server } = real;
  const pinned = { ...real, server: { ...server, hostKey: other.server.hostKey } };
  const gateway = await sshAdapter.startGateway({
    upstream: real.address,
    target: pinned,
    policies: '@id("all") permit (principal, action, resource);\n',
    dataDir: dir,
    config: '"limits": {}',
  });
  try {
    const proof = { kind: 'token', token: await gateway.token({ sub: 'ada' }) } as const;
    const opened = await sshAdapter.open(gateway.address, proof, gateway.targetName);
    expect(opened).toMatchObject({ open: false, words: { message: expect.stringContaining('host key') } });
    expect(!opened.open && opened.words.message).toContain('SHA256:');
    expect(!opened.open && opened.words.message).not.toContain(String(real.address.port));
    expect(server.executed).toEqual([]);
  } finally {
    await gateway.stop();
  }
});
