/** Programs that end in odd ways, each through a real gateway, at a real OpenSSH server: nobody else may feel it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing = sshd.there ? ssh : sshd;

let gateway: SshGateway;
let agent: SshLogin;

beforeAll(async () => {
  if (!missing.there) return;
  gateway = await createSshGateway();
  agent = await gateway.login({ sub: 'agent', groups: ['agents'] });
});

afterAll(async () => {
  await gateway?.stop();
});

describe.skipIf(!missing.there)(needing(missing, 'commands over SSH'), () => {
  test.each(['BUS', 'SYS', 'TRAP', 'XCPU', 'VTALRM'])(
    'a program that ends by a signal with no name in the protocol (%s) ends alone',
    async (signal) => {
      const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${join(gateway.dir, `shared-${signal}`)}`];
      const other = agent.startSsh([...shared, agent.destination, 'echo begun; cat'], { open: true });
      await other.saw(/begun/);
      const gone = await agent.startSsh([...shared, agent.destination, `echo said; kill -${signal} $$`]).ended;
      expect(gone.stdout).toBe('said\n');
      expect(gone.code).toBe(255);
      expect(gone.stderr).not.toMatch(/internal error/);
      // What shares the connection goes on.
      expect((await agent.startSsh([...shared, agent.destination, 'echo still here']).ended).stdout).toBe(
        'still here\n',
      );
      other.kill('SIGTERM');
      await other.ended;
      expect(await readFile(gateway.gateway.logFile, 'utf8')).not.toMatch(/session failed/);
    },
  );
});
