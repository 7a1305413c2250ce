// MCP servers that are programs, and have no manners: what they write, ask, leave undone and leave behind. One trick per
// row, phrased as what is to come of it. Rows are never removed.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { RawMcp } from '../harness/mcp-clients.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const user = { sub: 'uma', groups: ['agents'] };
const policies = `@id("agents") permit (principal, action in [Action::"connect", Action::"read", Action::"execute"], resource);`;

/** Answers as it should, and does with the call of its tool what the row says; `say` writes a message, `out` anything. */
const program = (onCall: string): string => `
const out = (text) => process.stdout.write(text);
const say = (message) => out(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const done = (id, text = 'done') => say({ id, result: { content: [{ type: 'text', text }] } });
const answers = {
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'a', inputSchema: { type: 'object' } }] }),
};
let rest = '';
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (answers[method]) say({ id, result: answers[method]() });
    else if (method === 'tools/call') call(id, params.arguments ?? {}, line);
  }
});
async function call(id, args, line) { ${onCall} }
`;

const programs = {
  asks: `for (let n = 0; n < 5000; n++) say({ id: n, method: 'sampling/createMessage', params: { messages: [] } }); done(id);`,
  lines: `done(id, line.split('\\n').length + ' ' + JSON.stringify(args));`,
  two: `out(JSON.stringify({ jsonrpc: '2.0', id, result: {} }) + JSON.stringify({ jsonrpc: '2.0', id, result: {} }) + '\\n'); done(id, 'third');`,
  spoofs: `for (let n = 0; n <= id + 40; n++) if (n !== id) done(n, 'spoofed'); done(id, 'own'); done(id, 'again');`,
  floods: `for (let n = 0; n < 200; n++) process.stderr.write('x'.repeat(65536)); out('nonsense\\n'.repeat(100000)); done(id);`,
  bare: `out('\\r\\n\\n\\r\\n'); out('{"jsonrpc":"2.0",'); setTimeout(() => out('"id":' + id + ',"result":{"content":[]}}\\r\\n'), 50);`,
  huge: `out('{"jsonrpc":"2.0","id":' + id + ',"result":{"content":[{"type":"text","text":"' + 'x'.repeat(3e6));`,
  dies: `process.kill(process.pid, 'SIGKILL');`,
  keeps: `const { spawn } = require('node:child_process'); const kept = spawn('sleep', ['1000'], { stdio: 'ignore' }); done(id, String(process.pid) + ' ' + kept.pid);`,
  stuck: `process.on('SIGTERM', () => {}); done(id, String(process.pid)); setTimeout(() => { for (;;); }, 50);`,
} as const;
type Name = keyof typeof programs;

let dir: string;
let gateway: AnyGateway;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-test-programs-'));
  const targets: Record<string, unknown>[] = [];
  for (const [name, onCall] of Object.entries(programs)) {
    const path = join(dir, `${name}.cjs`);
    await writeFile(path, program(onCall));
    targets.push({ name, connector: 'mcp', command: [process.execPath, path] });
  }
  gateway = await createAnyGateway({
    listen: ['mcp'],
    targets: targets as never,
    policies,
    config: '"limits": {"message_bytes": "1MiB", "statement_bytes": "64KiB"}',
  });
});

afterAll(async () => {
  await gateway?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function opened(name: Name): Promise<RawMcp> {
  const { host, port } = gateway.at('mcp');
  const raw = new RawMcp(new URL(`http://${host}:${port}/mcp/${name}`), await gateway.token(user));
  await raw.open();
  expect(raw.session).toBeDefined();
  return raw;
}

const called = (raw: RawMcp, args: unknown = {}) => raw.ask('tools/call', { name: 'a', arguments: args });

describe('what it writes', () => {
  test('asks that go to no client are recorded up to a number, and the call is answered', async () => {
    const before = await sessionRecordings(gateway.dir);
    const raw = await opened('asks');
    expect(JSON.stringify(await called(raw))).toContain('done');
    await raw.leave();
    const [path] = (await sessionRecordings(gateway.dir)).filter((each) => !before.includes(each));
    const events = JSON.stringify(await recordedEvents(String(path)));
    const asked = events.split('sampling/createMessage').length - 1;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(300);
    expect(events).toContain('more requests of the target');
  });

  test('line breaks of any kind in arguments begin no second message', async () => {
    const raw = await opened('lines');
    const text = 'a\n{"jsonrpc":"2.0","id":1,"method":"tools/call"}\r\n\u2028\u2029\u0085\u000b';
    expect(JSON.stringify(await called(raw, { text, 'k\ney': 1 }))).toContain('1 {');
    await raw.leave();
  });

  test('two messages in one line are none', async () => {
    const raw = await opened('two');
    expect(JSON.stringify(await called(raw))).toContain('third');
    await raw.leave();
  });

  test('answers under ids of others, and a second answer, are nobody’s', async () => {
    const raw = await opened('spoofs');
    for (let n = 0; n < 3; n++) expect(JSON.stringify(await called(raw))).toContain('own');
    await raw.leave();
  });

  test('floods of errors and nonsense keep nobody from the answer', async () => {
    const raw = await opened('floods');
    expect(JSON.stringify(await called(raw))).toContain('done');
    await raw.leave();
  });

  test('empty lines, and messages in pieces, are read as they should be', async () => {
    const raw = await opened('bare');
    expect((await called(raw)).result).toEqual({ content: [] });
    await raw.leave();
  });

  test('a line without end ends the session, and no more than that', async () => {
    const raw = await opened('huge');
    expect((await called(raw)).error).toBeDefined();
    expect((await called(raw)).error?.code).toBe(-32001);
    const other = await opened('bare');
    expect((await called(other)).result).toEqual({ content: [] });
    await other.leave();
  });
});

describe('what it leaves behind', () => {
  test('one that dies ends its session, and is told as what it is', async () => {
    const raw = await opened('dies');
    expect((await called(raw)).error?.message).toMatch(/target is gone/i);
  });

  test('what it started ends with the session that is killed', async () => {
    const raw = await opened('keeps');
    const pids = pidsIn(await called(raw));
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(await runs(pid)).toBe(true);
    await raw.leave();
    for (const pid of pids) await expect.poll(() => runs(pid), { timeout: 15_000 }).toBe(false);
  });

  test('one that does not listen to a request to end is ended', async () => {
    const raw = await opened('stuck');
    const [pid = 0] = pidsIn(await called(raw));
    await raw.leave();
    await expect.poll(() => runs(pid), { timeout: 15_000 }).toBe(false);
  });
});

function pidsIn({ result }: Awaited<ReturnType<RawMcp['ask']>>): readonly number[] {
  const [block] = (result?.['content'] ?? []) as readonly { readonly text: string }[];
  return (block?.text ?? '').split(' ').map(Number);
}

/** Not when all that is left of it is that nobody has waited for it. */
async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat !== '' && stat.split(') ').at(-1)?.[0] !== 'Z';
}
