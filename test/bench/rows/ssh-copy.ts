import { createHash, randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { handToServer } from '../../harness/server-files.ts';
import { interleave } from '../load/interleave.ts';
import type { Row } from './row.ts';
import { direct, type SshWorld, sluice } from './ssh-world.ts';

type Way = 'down' | 'up';
type Kind = 'bytes' | 'text';

const mebibyte = 1024 * 1024;

function copy(way: Way, kind: Kind): Row<SshWorld> {
  const id = `ssh-copy-${way}-${kind}`;
  const what =
    kind === 'bytes' ? 'bytes of no meaning' : 'lines of a log, which are looked through for what must be masked';
  return {
    id,
    title: `scp ${way === 'down' ? 'from' : 'to'} a host, ${kind}`,
    what: `\`scp\` (SFTP) of 256 MiB, with \`--quick\` 32, over a connection that is open already: MiB a second, ${what}.`,
    unit: 'MiB/s',
    goal: { of: sluice, to: direct, at: 'least', bound: 0.7 },
    quick: kind === 'bytes' && way === 'down',
    measure: async (world, settings) => {
      const content = contentOf(kind, (settings.quick ? 32 : 256) * mebibyte);
      const [here, there] = [join(world.scratch, `${id}-here`), join(world.scratch, `${id}-there`)];
      await writeFile(way === 'down' ? there : here, content, { mode: 0o644 });
      await handToServer(world.scratch);
      const run = async (connection: { copy(from: string, to: string): Promise<number> }): Promise<number> => {
        const took = await (way === 'down'
          ? connection.copy(`:${there}`, '/dev/null')
          : connection.copy(here, `:${there}`));
        return content.length / mebibyte / (took / 1000);
      };
      const figures = await world.connected((peers) =>
        interleave(
          peers.map(({ who, connection }) => ({ who, warmUp: () => run(connection), turn: () => run(connection) })),
          settings,
        ),
      );
      world.ledger.sent({
        by: 'web',
        units: 'some',
        contents: { times: settings.rounds + 1, digest: sha256(content) },
      });
      for (const file of [here, there]) await rm(file, { force: true });
      return { figures };
    },
  };
}

export const sshCopyRows: readonly Row<SshWorld>[] = [
  copy('down', 'bytes'),
  copy('up', 'bytes'),
  copy('down', 'text'),
  copy('up', 'text'),
];

function contentOf(kind: Kind, size: number): Buffer {
  if (kind === 'bytes') return randomBytes(size);
  const line = (n: number) =>
    `2026-01-01T00:00:00.000Z INFO request ${n} GET /v1/orders/${n * 7} took ${n % 97} ms, 200 OK\n`;
  const block = Buffer.from(Array.from({ length: 4096 }, (_, n) => line(n)).join(''));
  return Buffer.alloc(size, block);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
