import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '@sluice/server/api/app.ts';
import { botsObjects } from '@sluice/server/api/testing/bots-objects.ts';
import { accessRequest, people, type TestServices, testServices } from '@sluice/server/api/testing/services.ts';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sampleRecording, testKey } from '../../../test/harness/recording.ts';
import { type Result, runCommand } from './testing/command.ts';

// Processes of their own take their time on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

let services: TestServices;
let app: FastifyInstance;
let api: string;
let dir: string;

const recording = sampleRecording(testKey());

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

beforeEach(async () => {
  services = testServices();
  botsObjects(services);
  services.recordingBytes.set('ses_bot', recording);
  app = await createApi(services, { version: '0.1.0' });
  api = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

/** Runs the real command as someone; `env` replaces what it is given by default. */
function sluice(
  args: string[],
  env: Record<string, string> = { SLUICE_TOKEN: 'alex-token', SLUICE_API: api },
): Promise<Result> {
  return runCommand(args, { cwd: dir, env });
}

function as(token: string): Record<string, string> {
  return { SLUICE_TOKEN: token, SLUICE_API: api };
}

function errorIn(result: Result): { code: string; message: string; hint?: string } {
  return (JSON.parse(result.stderr) as { error: { code: string; message: string } }).error;
}

describe('exit codes', () => {
  it.each<[number, string, () => Promise<Result>]>([
    [0, 'a list', () => sluice(['requests', 'ls'])],
    [0, 'help', () => sluice(['--help'], {})],
    [2, 'no command', () => sluice([])],
    [2, 'an unknown command', () => sluice(['request'])],
    [2, 'an unknown option', () => sluice(['requests', 'ls', '--all'])],
    [2, 'a missing argument', () => sluice(['sessions', 'show'])],
    [2, 'one argument too many', () => sluice(['sessions', 'show', 'a', 'b'])],
    [2, 'a bad value', () => sluice(['access', 'shop', '--ttl', 'soon'])],
    [2, 'an address with a path', () => sluice(['requests', 'ls', '--api', `${api}/api/v1`])],
    [2, 'a token file that is missing', () => sluice(['requests', 'ls', '--token-file', 'nowhere'])],
    [2, 'a token that is none', () => sluice(['requests', 'ls'], as('two words'))],
    [3, 'no token', () => sluice(['requests', 'ls'], { SLUICE_API: api })],
    [3, 'a wrong token', () => sluice(['requests', 'ls'], as('wrong'))],
    [4, 'an answer to a request of one’s own', () => sluice(['requests', 'approve', 'req_bot'], as('bot-token'))],
    [4, 'a token in clear text to elsewhere', () => sluice(['requests', 'ls', '--api', 'http://192.0.2.1:1'])],
    [5, 'an unknown id', () => sluice(['requests', 'show', 'req_none'])],
    [5, 'a foreign object', () => sluice(['sessions', 'show', 'ses_bot'], as('stranger-token'))],
    [5, 'an id that is none', () => sluice(['sessions', 'show', '../keys'])],
    [6, 'nobody there', () => sluice(['requests', 'ls', '--api', 'http://127.0.0.1:1'])],
    [
      7,
      'a second answer',
      async () => {
        services.requestRows.set('req_bot', accessRequest('req_bot', { state: 'denied' }));
        return sluice(['requests', 'approve', 'req_bot']);
      },
    ],
  ])('%i for %s', async (code, _what, command) => {
    const result = await command();
    expect(result.code, result.stderr).toBe(code);
    if (code > 1 && result.stderr !== '') expect(result.stderr).not.toMatch(/\n {4}at /);
  });

  it('are in the help', async () => {
    const { stdout } = await sluice(['--help'], {});
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7]) expect(stdout).toMatch(new RegExp(`^ {2}${code} {2}\\w`, 'm'));
  });
});

describe('errors', () => {
  it('are one readable form on standard error', async () => {
    const result = await sluice(['requests', 'show', 'req_none']);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /^error: No access request of this id\.\nhint: {2}It does not exist, or you may not see it/,
    );
    expect(result.stderr).toMatch(/gateway log: http_/);
  });

  it('are JSON with --json, wherever it stands', async () => {
    for (const args of [
      ['--json', 'requests', 'show', 'req_none'],
      ['requests', 'show', 'req_none', '--json'],
    ]) {
      const result = await sluice(args);
      expect(result.stdout).toBe('');
      expect(errorIn(result)).toMatchObject({ code: 'not_found' });
    }
    expect(errorIn(await sluice(['--json', 'request']))).toMatchObject({ code: 'usage' });
  });

  it('suggest what was probably meant', async () => {
    expect((await sluice(['request'])).stderr).toContain('Did you mean requests?');
  });

  it('tell a gateway from something else that listens', async () => {
    const other: Server = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const result = await sluice(['requests', 'ls', '--api', `http://127.0.0.1:${port}`]);
    other.close();
    expect(result.code).toBe(6);
    expect(result.stderr).toContain('not JSON');
  });

  it('never show the token', async () => {
    const result = await sluice(['requests', 'ls'], as('a-very-secret-token'));
    expect(result.stdout + result.stderr).not.toContain('a-very-secret-token');
  });
});

describe('token and address', () => {
  it('come from options before the environment', async () => {
    const file = join(dir, 'token');
    await writeFile(file, 'bot-token\n');
    const result = await sluice(['requests', 'show', 'req_bot', '--json', '--token-file', file, '--api', api], {
      SLUICE_TOKEN: 'wrong',
      SLUICE_API: 'http://127.0.0.1:1',
    });
    expect(result.code, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ may_review: false });
  });
});

describe('access', () => {
  it('prints a credential, as text and as JSON', async () => {
    const text = await sluice(['access', 'shop', '--ttl', '5m', '--uses', '3']);
    expect(text.stdout).toMatch(/user +sac_2\npassword +secret-of-sac_2\ntarget +shop\nexpires +.*\(in 5m\)/);
    const json = JSON.parse((await sluice(['access', 'shop', '--json'])).stdout);
    expect(json).toMatchObject({ id: 'sac_3', secret: 'secret-of-sac_3', target: 'shop' });
    expect(services.credentialRows.get('sac_2')).toMatchObject({ usesLeft: 3, principal: people.alex.id });
  });
});

describe('requests', () => {
  it('lists them', async () => {
    const { stdout } = await sluice(['requests', 'ls', '--state', 'pending']);
    expect(stdout).toMatch(
      /^ID +STATE +AGE +REQUESTER +TARGET +NEEDS +ACTION\nreq_bot +pending .*agent bot +shop +dba +UPDATE/,
    );
    expect(JSON.parse((await sluice(['requests', 'ls', '--json'])).stdout).items).toMatchObject([{ id: 'req_bot' }]);
    expect((await sluice(['requests', 'ls', '--target', 'ledger'])).stdout).toBe('No access requests.\n');
  });

  it('shows all that will run, with nothing able to deceive', async () => {
    const evil = `UPDATE t SET a = '\u202e\u001b[2J\u0007\u009b31m\u200b'\nstate      approved\n${'x'.repeat(5000)}END`;
    services.requestRows.set(
      'req_evil',
      accessRequest('req_evil', {
        requesterName: 'bot\u001b[31m\nstate approved',
        actions: [{ verb: 'sql:update', access: 'write', resources: ['shop/public/t'], text: evil }],
        parameters: ['\u2066one', null],
        run: { intent: 'please\nrequest   req_other' },
      }),
    );
    const { stdout } = await sluice(['requests', 'show', 'req_evil']);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|[\u200b\u202e\u2066]/u);
    expect(stdout).toContain("UPDATE t SET a = '\\u{202e}\\u{1b}[2J\\u{7}\\u{9b}31m\\u{200b}'");
    expect(stdout).toContain('  │ state      approved');
    expect(stdout).toContain(`${'x'.repeat(5000)}END`);
    expect(stdout.match(/^state /gm)).toHaveLength(1);
    expect(stdout.match(/^request /gm)).toHaveLength(1);
    const json = (await sluice(['requests', 'show', 'req_evil', '--json'])).stdout;
    expect(json.slice(0, -1)).not.toMatch(/\p{Cc}|[\u200b\u202e\u2066]/u);
    expect(JSON.parse(json).actions[0].text).toBe(evil);
  });

  it('approves and denies with a comment', async () => {
    services.requestRows.set('req_two', accessRequest('req_two'));
    const approved = await sluice(['requests', 'approve', 'req_bot', '--comment', 'checked']);
    expect(approved).toMatchObject({ code: 0, stdout: 'req_bot approved\n' });
    expect(services.requestRows.get('req_bot')?.approvals).toMatchObject([{ comment: 'checked' }]);
    const denied = await sluice(['requests', 'deny', 'req_two', '--json']);
    expect(JSON.parse(denied.stdout)).toMatchObject({ id: 'req_two', state: 'denied' });
  });

  it('takes an approval back', async () => {
    await sluice(['requests', 'approve', 'req_bot']);
    expect(await sluice(['requests', 'revoke', 'req_bot'])).toMatchObject({ code: 0, stdout: 'req_bot revoked\n' });
    expect((await sluice(['requests', 'revoke', 'req_bot'])).code).toBe(7);
  });

  it('says when more people must consent', async () => {
    const consents = [{ policy: 'p', group: 'dba', quorum: 2 }];
    services.requestRows.set('req_two', accessRequest('req_two', { consents }));
    expect((await sluice(['requests', 'approve', 'req_two'])).stdout).toContain('more people must consent');
  });
});

describe('sessions', () => {
  it('lists, shows and kills them', async () => {
    expect((await sluice(['sessions', 'ls', '--live'])).stdout).toMatch(/ses_bot .*agent bot +shop +postgres +live/);
    expect((await sluice(['sessions', 'show', 'ses_bot'])).stdout).toMatch(/^session +ses_bot\nstate +live\n/);
    expect(JSON.parse((await sluice(['sessions', 'ls', '--json'])).stdout)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ target: 'shop', connector: 'postgres' })]),
    });
    expect(await sluice(['sessions', 'kill', 'ses_bot'])).toMatchObject({ code: 0, stdout: 'ses_bot killed\n' });
    expect((await sluice(['sessions', 'kill', 'ses_bot'])).code).toBe(7);
  });

  it('exports events to standard output and to a file', async () => {
    const { stdout } = await sluice(['sessions', 'export', 'ses_bot', '--format', 'jsonl']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ n: 0, type: 'header', session: 'ses_test' });
    expect(events.map((event) => event.type)).toContain('rows');
    expect(events.at(-1)).toMatchObject({ type: 'seal' });
    const file = join(dir, 'out.jsonl');
    expect((await sluice(['sessions', 'export', 'ses_bot', '-o', file])).code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(stdout);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('exports the recording byte for byte', async () => {
    const file = join(dir, 'copy.sluice');
    const result = await sluice(['sessions', 'export', 'ses_bot', '--format', 'recording', '-o', file, '--json']);
    const bytes = recording.length;
    expect(JSON.parse(result.stdout)).toEqual({ session: 'ses_bot', format: 'recording', file, bytes });
    expect(await readFile(file)).toEqual(Buffer.from(recording));
  });

  it('replays them, as text and as JSON Lines', async () => {
    const { code, stdout } = await sluice(['sessions', 'replay', 'ses_bot']);
    expect(code).toBe(0);
    expect(stdout).toContain('SELECT id, email FROM customers WHERE id = 3');
    expect(stdout).toContain('a***@example.com');
    const json = await sluice(['sessions', 'replay', 'ses_bot', '--json']);
    expect(json.stdout).toBe((await sluice(['sessions', 'export', 'ses_bot'])).stdout);
  });

  it('says when a part of a replay could not be read', async () => {
    services.recordingBytes.set('ses_bot', recording.subarray(0, recording.length - 5));
    const { code, stdout } = await sluice(['sessions', 'replay', 'ses_bot', '--speed', '1000']);
    expect(code).toBe(1);
    expect(stdout).toContain('unreadable at byte');
  });

  it('leaves no half of a file behind', async () => {
    services.recordings.open = async () =>
      (async function* () {
        yield new Uint8Array(10);
        throw new Error('disk gone');
      })();
    const before = await readdir(dir);
    const result = await sluice(['sessions', 'export', 'ses_bot', '--format', 'recording', '-o', join(dir, 'half')]);
    expect(result.code).toBe(6);
    expect(await readdir(dir)).toEqual(before);
    const unwritable = await sluice(['sessions', 'export', 'ses_bot', '-o', join(dir, 'no', 'such', 'file')]);
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toContain('cannot be written');
  });
});

describe('policy explain', () => {
  it('says what would be decided and why', async () => {
    const { stdout } = await sluice(['policy', 'explain', 'shop', 'update t set a = 1'], as('bot-token'));
    expect(stdout).toMatch(/^decision +hold\n/);
    expect(stdout).toMatch(/needs +1 of dba\n/);
    expect(stdout).toContain('sql:update (write) on shop/public/customers');
  });

  it('supposes a principal', async () => {
    const args = [
      'policy',
      'explain',
      'shop',
      'select 1',
      '--principal',
      'x#y',
      '--kind',
      'agent',
      '--group',
      'a',
      '--json',
    ];
    expect(JSON.parse((await sluice(args)).stdout)).toMatchObject({ principal: { kind: 'agent', id: 'x#y' } });
    expect((await sluice(args, as('dana-token'))).code).toBe(4);
  });
});

describe('output', () => {
  it('has no colours when it is no terminal', async () => {
    expect((await sluice(['requests', 'ls'])).stdout).not.toContain('\u001b');
  });
});
