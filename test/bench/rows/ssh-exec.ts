import { interleave } from '../load/interleave.ts';
import { execOnce } from '../load/ssh.ts';
import type { Row } from './row.ts';
import { direct, type SshWorld, sluice } from './ssh-world.ts';

const command = 'true';

const overOpenConnection: Row<SshWorld> = {
  id: 'ssh-exec',
  title: 'a command over SSH, connection open',
  what: `\`ssh host ${command}\` over a connection that is open already (\`ControlPath\`): milliseconds from the client’s start to its end.`,
  unit: 'ms',
  goal: { of: sluice, to: direct, at: 'most', bound: 1.5 },
  quick: true,
  measure: async (world, { quick, ...settings }) => {
    const times = quick ? 10 : 50;
    return world.connected(async (peers) => {
      const contenders = peers.map(({ who, connection }) => {
        const run = () => mean(times, () => connection.exec(command));
        return { who, warmUp: run, turn: run };
      });
      const figures = await interleave(contenders, { quick, ...settings });
      world.ledger.sent({ by: 'web', units: times * (settings.rounds + 1) });
      return { figures };
    });
  },
};

const withLogin: Row<SshWorld> = {
  id: 'ssh-login-exec',
  title: 'a command over SSH, with the login',
  what: `\`ssh host ${command}\` with a connection and a login of its own: milliseconds from the client’s start to its end.`,
  unit: 'ms',
  goal: { of: sluice, to: direct, at: 'most', bound: 1.5 },
  quick: true,
  measure: async (world, { quick, ...settings }) => {
    const times = quick ? 3 : 20;
    const contenders = world.peers.map(({ who, way }) => {
      const run = () => mean(times, () => execOnce(way, world.scratch, command));
      return { who, warmUp: run, turn: run };
    });
    const figures = await interleave(contenders, { quick, ...settings });
    world.ledger.sent({ by: 'web', units: times * (settings.rounds + 1) });
    return { figures };
  },
};

export const sshExecRows: readonly Row<SshWorld>[] = [overOpenConnection, withLogin];

async function mean(times: number, run: () => Promise<number>): Promise<number> {
  let sum = 0;
  for (let time = 0; time < times; time++) sum += await run();
  return sum / times;
}
