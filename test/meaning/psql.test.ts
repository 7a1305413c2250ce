// Everything psql asks when one looks around with its backslash commands is understood, reads only the catalog, and asks
// about nothing that is labelled.

import { spawnSync } from 'node:child_process';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import { withPrepared } from '@sluice/connectors/postgres/meaning/overlay.ts';
import type { MeaningContext } from '@sluice/connectors/postgres/meaning/statement.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPgDump, findPsql, needing } from '../harness/clients.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { openSample, type Sample, schema } from './sample.ts';

const psql = findPsql();
const dump = findPgDump();
let server: TestPostgres;
let sample: Sample;

beforeAll(async () => {
  server = await createTestPostgres({ init: schema, log: true });
  sample = await openSample(server.url);
});
afterAll(async () => {
  await sample?.close();
  await server?.stop();
});

const commands =
  '\\d|\\d customers|\\d+ customers|\\d+ contacts|\\d+ logs|\\dt+ *.*|\\dv+|\\dm+|\\df+|\\sf lookup|\\sv contacts|\\du+|\\dn+|\\dx+|\\dT+|\\dp|\\di+|\\ds+|\\dC+|\\do|\\dD+|\\ddp|\\drds|\\dO|\\dF+|\\des+|\\dew+|\\det+|\\dRp+|\\dy+|\\dP+|\\dd|\\da|\\dX|\\dL+|\\dA+|\\dc|\\l|\\conninfo|\\encoding|\\lo_list';

async function asked(client: string, args: readonly string[], input = ''): Promise<readonly string[]> {
  const before = (await server.statements()).length;
  const { status, stderr } = spawnSync(client, [...args], { input, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return [...new Set((await server.statements()).slice(before).map(({ text }) => text))];
}

const reading = new Set(['sql:select', 'sql:compute', 'sql:session']);

describe('what clients ask of the catalog', () => {
  test.skipIf(!psql.there)(needing(psql, 'psql, looking around'), async () => {
    if (!psql.there) return;
    const texts = await asked(psql.path, ['-X', '-q', server.url], `${commands.replaceAll('|', '\n')}\n`);
    expect(texts.length).toBeGreaterThan(40);
    for (const text of texts) {
      for (const meaning of interpret(text, sample.context)) {
        expect(meaning.exposures, text).toEqual([]);
        expect(meaning.expressionLabels, text).toEqual([]);
        for (const action of meaning.actions) {
          expect(reading, text).toContain(action.verb);
          if (action.verb !== 'sql:select') continue;
          for (const { id } of action.resources) expect(id).toMatch(/^shop\/pg_catalog\//);
        }
      }
    }
  });

  test.skipIf(!dump.there)(needing(dump, 'pg_dump, for whom policy allows it'), async () => {
    if (!dump.there) return;
    const texts = await asked(dump.path, ['--no-sync', server.url]);
    expect(texts.length).toBeGreaterThan(40);
    // It sets search_path to nothing and qualifies every name; it prepares statements and executes them later.
    let context: MeaningContext = { ...sample.context, searchPath: ['pg_catalog'] };
    for (const text of texts) {
      for (const { actions, effects } of interpret(text, context)) {
        expect(actions.length, text).toBeGreaterThan(0);
        context = withPrepared(context, effects);
      }
    }
  });
});
