import { describe, expect, it } from 'vitest';
import { mcpTargets } from './target-form.ts';

const check = (reachedBy: 'address' | 'command', settings: Record<string, string>, ...secrets: string[]): unknown[] =>
  (mcpTargets.check?.([{ name: 'x', reachedBy, settings, secrets }]) ?? []).map(({ key }) => key);
const problem = (key: string, value: string): string | undefined =>
  mcpTargets.settings.find((setting) => setting.key === key)?.problem?.(value);

describe('a target of MCP', () => {
  it('has what goes with how it is reached', () => {
    expect(check('address', { path: '/mcp' }, 'bearer')).toEqual([]);
    expect(check('command', {}, 'token', 'api_key')).toEqual([]);
    expect(check('command', { path: '/mcp' }, 'bearer')).toEqual(['path', 'bearer']);
    expect(check('address', {}, 'token')).toEqual(['token']);
    expect(check('address', {}, 'header')).toEqual(['header']);
    expect(check('address', { header_name: 'x-key' })).toEqual(['header_name']);
    expect(check('address', { header_name: 'x-key' }, 'header')).toEqual([]);
  });

  it('has no header of the gateway’s own, and a path and a host that are one', () => {
    for (const name of ['Host', 'mcp-session-id', 'Content-Length', 'x key', 'x:y']) {
      expect(problem('header_name', name)).toBeDefined();
    }
    expect(problem('header_name', 'X-Api-Key')).toBeUndefined();
    for (const path of ['mcp', '/a b', '/a#b', '/\u00e9']) expect(problem('path', path)).toBeDefined();
    for (const host of ['a/b', 'a b', 'u@a', 'a:b']) expect(problem('host', host)).toBeDefined();
    expect(problem('host', 'mcp.example.com:8443')).toBeUndefined();
  });
});
