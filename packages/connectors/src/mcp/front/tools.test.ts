import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import type { OperationDeclaration } from '@sluice/core/contract/operations.ts';
import { describe, expect, test } from 'vitest';
import { sqlOperations } from '../../postgres/operate/declarations.ts';
import { done, failed, outcomeOf } from './outcome.ts';
import { frontTools } from './tools.ts';

const operation: OperationDeclaration = {
  name: 'run',
  title: 'Run',
  doc: 'Runs.',
  input: {
    type: 'object',
    properties: { command: { type: 'string' } },
    required: ['command'],
    additionalProperties: false,
  },
  output: { type: 'object', properties: { code: { type: 'integer' } }, required: ['code'] },
  readOnly: false,
};

describe('tools of operations', () => {
  test('take a target and what is claimed of the run, beside what the operation takes', () => {
    const tool = frontTools([operation]).find(({ name }) => name === 'run');
    const fits = new AjvJsonSchemaValidator().getValidator({ ...tool?.inputSchema });
    expect(fits({ target: 'x', command: 'ls', intent: 'look', run: 'r', step: 's' }).valid).toBe(true);
    for (const wrong of [
      { target: 'x' },
      { command: 'ls' },
      { target: 'x', command: 'ls', other: 1 },
      { target: 1, command: 'ls' },
    ]) {
      expect(fits(wrong).valid).toBe(false);
    }
  });

  test.each([{ target: {} }, { intent: {} }, { run: {} }, { step: {} }])(
    'can have no argument like %j',
    (properties) => {
      expect(() => frontTools([{ ...operation, input: { type: 'object', properties } }])).toThrow(
        /run has an argument/,
      );
    },
  );

  test('can have no name of the gateway’s own', () => {
    expect(() => frontTools([{ ...operation, name: 'list_targets' }])).toThrow(/list_targets/);
  });

  test('are annotated by whether they only read', () => {
    const tools = frontTools([operation, { ...operation, name: 'look', readOnly: true }]);
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations.readOnlyHint]));
    expect(hints).toEqual({ list_targets: true, request_status: true, list_my_sessions: true, run: false, look: true });
  });
});

describe('every outcome fits what the tool says of its results', () => {
  const denial = { reason: 'r', policies: ['p'], request: 'req_1', url: 'http://x', hint: 'h' };
  test.each([
    ['done', done({ code: 0 }).content],
    ['pending', outcomeOf({ outcome: 'refused', denial: { decision: 'hold', ...denial } }).content],
    ['denied', outcomeOf({ outcome: 'refused', denial: { decision: 'deny', ...denial } }).content],
    ['failed', failed('x', 'y', 'z').content],
  ])('%s', (status, content) => {
    const tool = frontTools([operation]).find(({ name }) => name === 'run');
    const fits = new AjvJsonSchemaValidator().getValidator({ ...tool?.outputSchema });
    expect(fits(content)).toMatchObject({ valid: true });
    expect(content['status']).toBe(status);
  });

  test('and a result that is none of the operation’s does not', () => {
    const tool = frontTools([operation]).find(({ name }) => name === 'run');
    const fits = new AjvJsonSchemaValidator().getValidator({ ...tool?.outputSchema });
    expect(fits(done({ code: 'x' }).content).valid).toBe(false);
  });
});

test('what models read is short', () => {
  for (const { description } of frontTools(sqlOperations)) expect(description.length).toBeLessThan(900);
});
