import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { Stage } from '../start.ts';
import { wrap } from '../terminal/layout.ts';
import { sluice } from './command.ts';
import type { Claim, Props } from './scene.ts';

/** The agent's session at the target that is open now, as the DBA sees it. */
export async function openSession({ dba }: Props, target: string): Promise<string> {
  const { items } = await dba.sessions({ target, live: true });
  const session = items.find(({ principal }) => principal.kind === 'agent');
  if (!session) throw new Error("The DBA does not see the agent's session.");
  return session.id;
}

/** Resolves once the session is over and its recording sealed. */
export async function ended({ dba }: Props, id: string): Promise<void> {
  // The gateway seals after the connection is gone; there is no event to wait for from outside.
  for (let attempt = 0; attempt < 300; attempt++) {
    const session = await dba.session(id);
    if (!session.live && session.ended_at !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Session ${id} did not end within 30 s.`);
}

async function recordingOf(stage: Stage, session: string): Promise<string> {
  const dir = join(stage.at.root, 'recordings');
  const names = await readdir(dir, { recursive: true });
  const name = names.find((candidate) => basename(candidate) === `${session}.sluice`);
  if (name === undefined) throw new Error(`There is no recording of ${session} in ${dir}.`);
  return join(dir, name);
}

/** What must be true of a session's recording once the session is over. */
export interface Evidence {
  readonly session: string;
  /** What the replay must show. */
  readonly contains: readonly string[];
  /** What it must not. */
  readonly secrets: readonly string[];
  /** The replay is told from here. */
  readonly from?: string;
}

/** The session is replayed as a DBA would, and its recording verified as an auditor would. Resolves with its file. */
export async function prove({ stage, narrator }: Props, claim: Claim, evidence: Evidence): Promise<string> {
  const { session, contains, secrets, from } = evidence;
  const file = await recordingOf(stage, session);
  const [shown, verified] = await Promise.all([
    sluice(stage, 'sessions', 'replay', session),
    sluice(stage, 'audit', 'verify', file),
  ]);
  narrator.aside('DBA', `npx sluice sessions replay ${session}`);
  narrator.output(excerpt(shown.out, from));
  claim('The replay shows what was asked and what came of it', shown.code === 0, shown.err);
  for (const part of contains) claim(`It contains ${part}`, shown.out.includes(part));
  const leaked = secrets.filter((secret) => shown.out.includes(secret));
  claim('It shows what the agent saw: masked', leaked.length === 0, `${leaked.length} values in clear`);

  narrator.aside('Auditor', `npx sluice audit verify ${relative(stage.at.root, file)}`);
  narrator.output(excerpt(verified.out));
  claim(
    'The recording verifies, offline, from the file and the public key',
    verified.code === 0,
    verified.out + verified.err,
  );
  return file;
}

/** The session as a film for asciinema's player. Resolves with its file. */
export async function filmOf(
  { stage, narrator }: Props,
  claim: Claim,
  evidence: Pick<Evidence, 'session' | 'secrets'>,
): Promise<string> {
  const { session, secrets } = evidence;
  const name = `${session}.cast`;
  const file = join(stage.at.root, name);
  const done = await sluice(stage, 'sessions', 'export', session, '--format', 'asciicast', '-o', file);
  narrator.aside('DBA', `npx sluice sessions export ${session} --format asciicast -o ${name}`);
  const text = await readFile(file, 'utf8').catch(() => '');
  const [head = ''] = text.split('\n');
  claim('It can be exported as an asciicast (version 3)', /"version":\s*3/.test(head), done.err || head);
  claim('The film holds what the agent saw, too: masked', !secrets.some((secret) => text.includes(secret)));
  return file;
}

const longest = 12;
const widest = 240;

/** Some lines of a command's output, from the one before the first that holds `from`. */
export function excerpt(text: string, from = ''): readonly string[] {
  // The comment with the agent's claims is spelled out by replay in a line of its own.
  const lines = text
    .trimEnd()
    .replaceAll(/\s*\/\*intent=.*?\*\//g, '')
    .split('\n');
  const start = Math.max(0, lines.findIndex((line) => line.includes(from)) - 1);
  const shown = lines
    .slice(start, start + longest)
    .flatMap((line) => wrap(line.length > widest ? `${line.slice(0, widest)} …` : line, 84));
  const before = start > 0 ? [`… ${start} lines before`] : [];
  const after = lines.length > start + longest ? [`… ${lines.length - start - longest} lines after`] : [];
  return [...before, ...shown, ...after];
}
