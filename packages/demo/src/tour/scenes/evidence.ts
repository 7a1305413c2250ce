import { cp, open, readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { wrap } from '../../terminal/layout.ts';
import { sluice } from '../command.ts';
import type { Props, Scene } from '../scene.ts';

export const replay: Scene = {
  name: 'replay-and-verify',
  title: 'The session is replayed, and its recording verified',
  async play(props, claim) {
    const { agent, stage, witness, narrator, memory } = props;
    const session = await openSession(props);
    await agent.close();
    await ended(props, session);
    memory.session = session;

    const shown = await sluice(stage, 'sessions', 'replay', session, '--no-wait');
    narrator.aside('DBA', `npx sluice sessions replay ${session} --no-wait`);
    narrator.output(excerpt(shown.out, "$1 = 'paid'"));
    claim('The replay shows what was asked and what came of it', shown.code === 0, shown.err);
    for (const part of ['monitoring.incidents', 'DROP TABLE', 'UPDATE orders']) {
      claim(`It contains ${part}`, shown.out.includes(part));
    }
    const real = await witness.rows('SELECT email AS value FROM customers UNION ALL SELECT card_number FROM payments');
    const leaked = real.filter(({ value }) => shown.out.includes(String(value)));
    claim('It shows what the agent saw: masked', leaked.length === 0, `${leaked.length} values in clear`);

    const file = await recordingOf(join(stage.at.root, 'recordings'), session);
    memory.recording = file;
    const verified = await sluice(stage, 'audit', 'verify', file);
    narrator.aside('Auditor', `npx sluice audit verify ${relative(stage.at.root, file)}`);
    narrator.output(excerpt(verified.out));
    claim(
      'The recording verifies, offline, from the file and the public key',
      verified.code === 0,
      verified.out + verified.err,
    );
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

async function openSession({ dba, stage }: Props): Promise<string> {
  const { items } = await dba.sessions({ target: stage.target, live: true });
  const session = items.find(({ principal }) => principal.kind === 'agent');
  if (!session) throw new Error("The DBA does not see the agent's session.");
  return session.id;
}

/** Resolves once the session is over and its recording sealed. */
async function ended({ dba }: Props, id: string): Promise<void> {
  // The gateway seals after the connection is gone; there is no event to wait for from outside.
  for (let attempt = 0; attempt < 300; attempt++) {
    const session = await dba.session(id);
    if (!session.live && session.ended_at !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Session ${id} did not end within 30 s.`);
}

async function recordingOf(dir: string, session: string): Promise<string> {
  const names = await readdir(dir, { recursive: true });
  const name = names.find((candidate) => basename(candidate) === `${session}.sluice`);
  if (name === undefined) throw new Error(`There is no recording of ${session} in ${dir}.`);
  return join(dir, name);
}

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

const longest = 12;

/** Some lines of a command's output, from the one before the first that holds `from`. */
function excerpt(text: string, from = ''): readonly string[] {
  // The comment with the agent's claims is spelled out by replay in a line of its own.
  const lines = text
    .trimEnd()
    .replaceAll(/\s*\/\*intent=.*?\*\//g, '')
    .split('\n');
  const start = Math.max(0, lines.findIndex((line) => line.includes(from)) - 1);
  const shown = lines.slice(start, start + longest).flatMap((line) => wrap(line, 84));
  const before = start > 0 ? [`… ${start} lines before`] : [];
  const after = lines.length > start + longest ? [`… ${lines.length - start - longest} lines after`] : [];
  return [...before, ...shown, ...after];
}
