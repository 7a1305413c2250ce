// Command lines at the limit of what a packet of the protocol may hold, and beyond it, by OpenSSH's own client.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { needing } from '../harness/clients.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing = sshd.there ? ssh : sshd;

describe.skipIf(!missing.there)(needing(missing, 'a command line over SSH'), () => {
  let world: SshGateway;
  let me: SshLogin;
  beforeAll(async () => {
    world = await createSshGateway();
    me = await world.login({ sub: 'ada' });
  });
  afterAll(() => world?.stop());

  /** A command line of this many bytes. */
  const long = (bytes: number): string => `echo whole; : ${'x'.repeat(bytes - 14)}`;

  test('of 34000 bytes runs', async () => {
    expect(await me.ssh([long(34_000)])).toMatchObject({ code: 0, stdout: 'whole\n' });
  });

  test.each([35_100, 60_000, 120_000])(
    'of %i bytes ends the connection, which says why, and is recorded',
    async (bytes) => {
      const before = (await ended()).length;
      const refused = await me.ssh([long(bytes)]);
      expect(refused).toMatchObject({ code: 255, stdout: '' });
      expect(refused.stderr).toMatch(
        /sluice: This is not taken: a packet longer than 35000 bytes \(a command may have 34000/,
      );
      const recordings = await ended();
      expect(recordings).toHaveLength(before + 1);
      const all = recordings.flat();
      expect(all).toContainEqual(
        expect.objectContaining({
          effect: 'deny',
          reasons: [expect.objectContaining({ text: expect.stringContaining('a packet longer than 35000 bytes') })],
        }),
      );
      expect(all).toContainEqual(expect.objectContaining({ type: 'end', reason: 'protocol_error' }));
      expect(await me.ssh(['echo after'])).toMatchObject({ code: 0, stdout: 'after\n' });
    },
  );

  async function ended() {
    await sealedRecordings(world.gateway);
    return world.recordings();
  }
});
