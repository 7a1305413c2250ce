import { cp, open } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { shop } from '../../targets.ts';
import { sluice } from '../command.ts';
import { ended, excerpt, openSession, prove } from '../records.ts';
import type { Scene } from '../scene.ts';

export const replay: Scene = {
  name: 'replay-and-verify',
  title: 'The session is replayed, and its recording verified',
  async play(props, claim) {
    const { agent, witness, memory } = props;
    const session = await openSession(props, shop);
    await agent.close();
    await ended(props, session);
    memory.session = session;

    const real = await witness.rows('SELECT email AS value FROM customers UNION ALL SELECT card_number FROM payments');
    memory.recording = await prove(props, claim, {
      session,
      contains: ['monitoring.incidents', 'DROP TABLE', 'UPDATE orders'],
      secrets: real.map(({ value }) => String(value)),
      from: "$1 = 'paid'",
    });
  },
};

export const tamper: Scene = {
  name: 'tamper',
  title: 'One byte of a copy of it is flipped, and verify says where',
  async play({ stage, narrator, memory }, claim) {
    const { recording } = memory;
    if (recording === undefined) throw new Error('There is no recording to tamper with.');
    const copyDir = join(stage.at.root, 'tampered');
    const copy = join(copyDir, relative(stage.at.root, recording));
    for (const part of ['recordings', join('keys', 'public.json')]) {
      await cp(join(stage.at.root, part), join(copyDir, part), { recursive: true });
    }
    const offset = await flipOneByte(copy);
    narrator.aside('Forger', `flips one bit of byte ${offset} in a copy of ${basename(copy)}`);

    const verdict = await sluice(stage, 'audit', 'verify', copyDir);
    narrator.aside('Auditor', 'npx sluice audit verify tampered');
    narrator.output(excerpt(verdict.out + verdict.err));
    claim('verify fails', verdict.code === 1, `exit code ${verdict.code}`);
    const places = [...(verdict.out + verdict.err).matchAll(/\bbyte (?:offset )?(\d+)/gi)].map(([, at]) => Number(at));
    claim(
      `It says where: ${places.length === 0 ? 'nowhere' : `byte ${places[0]}`}`,
      places.some((at) => at <= offset && offset - at < 70_000),
      `nothing near byte ${offset}`,
    );
    const untouched = await sluice(stage, 'audit', 'verify', recording);
    claim('The original still verifies', untouched.code === 0);
  },
};

async function flipOneByte(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const offset = Math.floor(size / 2);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await file.write(byte, 0, 1, offset);
    return offset;
  } finally {
    await file.close();
  }
}
