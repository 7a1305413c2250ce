import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { layout } from './layout.ts';
import { paste } from './paste.ts';
import type { Stage } from './start.ts';

const stage = {
  listeners: {
    postgres: { host: '127.0.0.1', port: 7432 },
    ssh: { host: '127.0.0.1', port: 7422 },
    http: { host: '127.0.0.1', port: 7443 },
    mcp: { host: '127.0.0.1', port: 7450 },
  },
  api: 'http://127.0.0.1:7480',
  at: layout('/unused'),
  host: { server: 'OpenSSH_9.2', runsAs: 'me' },
} as Stage;

/** What a shell makes of the first pasted psql line: the words psql would get. */
function words(dir: string): readonly string[] {
  const line = paste(stage, { seconds: 1, shownDir: dir })
    .split('\n')
    .find((each) => each.includes('psql'))
    ?.replace('psql', "printf '%s\\n'")
    .replace(/\$\(cat (.*?)\)/, '$(printf %s $1)');
  return execFileSync('sh', ['-c', `${line}; printf '%s' "$PGPASSWORD"`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

describe('the lines to paste', () => {
  it('mention what a newcomer needs', () => {
    const text = paste(stage, { seconds: 12.34, shownDir: '.sluice/demo' });
    const parts = ['12.3 s', 'dbname=shop', 'access build-host', ':7443/t/crm/', ':7450/mcp', 'OpenSSH_9.2'];
    parts.push('requests approve', 'sessions replay', 'audit verify', 'Ctrl-C');
    for (const part of parts) expect(text).toContain(part);
  });

  it('say that a host is a stand-in', () => {
    const host = { server: 'ssh2js', standIn: 'no OpenSSH server is installed here' } as Stage['host'];
    expect(paste({ ...stage, host }, { seconds: 1, shownDir: '.' })).toContain('a stand-in (no OpenSSH server');
  });

  it.each(['.sluice/demo', "/tmp/it's mine", '/tmp/a "b" $HOME `id` \\x'])('survive the shell with %s', (dir) => {
    const [connection] = words(dir);
    const value = /sslrootcert=(.*)$/.exec(connection ?? '')?.[1] ?? '';
    const read = value.startsWith("'") ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
    expect(read).toBe(`${dir}/tls/ca.crt`);
  });
});
