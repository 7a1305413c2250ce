import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { newPair } from '../../host/keys.ts';
import { buildHost } from '../../targets.ts';
import { harmless } from '../../terminal/ink.ts';
import { requestIn, showRequest, waitingRequest } from '../consent.ts';
import { ended, filmOf, openSession, prove } from '../records.ts';
import type { Props, Scene } from '../scene.ts';
import { type CommandAnswer, type PendingCommand, SshClient } from '../ssh-client.ts';

const look = 'tail -n 3 logs/checkout.log';
const wipe = 'rm -rf logs';
const restart = 'svc restart checkout';

export const buildHostScene: Scene = {
  name: 'build-host',
  title: 'SSH: it reads a log, may not wipe it, and restarts a service with consent',
  async play(props, claim) {
    const { stage, dba, narrator } = props;
    const { host } = stage;
    const machine = host.standIn === undefined ? `a real ${host.server}` : `a stand-in (${host.standIn})`;
    narrator.aside('Stage', `build-host is ${machine}, on a folder of this machine. Only the gateway has a key to it.`);
    const ssh = await logIn(props);
    try {
      const read = await act(props, ssh, 'The runbook says to look at what checkout logs.', look);
      claim('It got the end of the log', read.code === 0 && read.out.includes('queue is full'), read.err);
      const real = await content(join(host.folder, 'logs', 'checkout.log'));
      const [, email = ''] = /customer=(\S+@\S+)/.exec(real.split('\n').at(-3) ?? '') ?? [];
      claim('The log really names a customer and a key', real.includes(email) && real.includes(host.leakedKey));
      claim(
        'Neither reached it, though the bytes came as a stream',
        email !== '' && !ssh.heard().includes(email) && !ssh.heard().includes(host.leakedKey),
        read.out,
      );

      const denied = await act(props, ssh, 'The logs are large. I could make room.', wipe);
      claim('Refused on standard error, with an exit status that says so', denied.code === 126, String(denied.code));
      claim('It was told by which policy', denied.err.includes('nothing-is-removed-by-hand'), denied.err);
      claim('The logs are still there', (await stat(join(host.folder, 'logs'))).isDirectory());

      const state = join(host.folder, 'services', 'checkout');
      const before = await content(state);
      const pending = begin(props, ssh, 'A restart of checkout drains the queue, says the log.', restart);
      const notice = (await pending.notice) ?? '';
      narrator.observation(harmless(notice));
      const request = await waitingRequest(props, requestIn(notice), claim);
      claim('While it waits nothing has changed', (await content(state)) === before);
      showRequest(props, request);
      claim('The DBA sees exactly what will run', request.actions[0]?.text.includes(restart) ?? false);
      await dba.approve(request.id, 'Go ahead');
      narrator.aside('On call', `approves ${request.id}`);
      const done = await pending.answer;
      narrator.observation(harmless(done.out.trimEnd()));
      claim('Approved, it ran', done.code === 0, done.err);
      claim('The service really restarted', (await content(state)) !== before);
      const session = await openSession(props, buildHost);
      await ssh.close();
      await ended(props, session);
      await prove(props, claim, {
        session,
        contains: [look, wipe, restart],
        secrets: [email, host.leakedKey],
        from: look,
      });
      await filmOf(props, claim, { session, secrets: [email, host.leakedKey] });
    } finally {
      await ssh.close();
    }
  },
};

/** With an access credential, and certain of the gateway by the key that came with it. */
async function logIn({ stage, narrator }: Props): Promise<SshClient> {
  const agent = new ApiClient({ base: stage.api, token: stage.tokens.agent });
  const { public: publicKey } = newPair();
  const credential = await agent.issueAccessCredential({ target: buildHost, ttl: '10m', public_key: publicKey });
  narrator.aside('Agent', `npx sluice access ${buildHost}      # a key for ten minutes, and this line:`);
  narrator.aside('', `ssh -p ${stage.listeners.ssh.port} -i … -o UserKnownHostsFile=… ${buildHost}@localhost …`);
  return SshClient.connect(stage, credential);
}

let step = 0;

function begin({ narrator }: Props, ssh: SshClient, thought: string, command: string): PendingCommand {
  step += 1;
  narrator.thought(thought);
  narrator.action(`ssh … ${command}`);
  return ssh.run(command, {
    SLUICE_RUN: `tour-${process.pid}`,
    SLUICE_STEP: String(step),
    SLUICE_INTENT: thought,
  });
}

async function act(props: Props, ssh: SshClient, thought: string, command: string): Promise<CommandAnswer> {
  const answer = await begin(props, ssh, thought, command).answer;
  props.narrator.observation(harmless((answer.out + answer.err).trimEnd()));
  return answer;
}

function content(file: string): Promise<string> {
  return readFile(file, 'utf8');
}
