// Labelled values by way of the protocol: formats, names that come to mean something else, portals and cursors that live
// on while meaning or policy change, and tables changed behind a session's back. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bind,
  cstring,
  describe as describeMessage,
  execute,
  flush,
  int16,
  int32,
  message,
  parse,
  type RawMessage,
  type RawPostgres,
  sync,
} from '../harness/raw-postgres.ts';
import { ask, leaked, openShop, outcomeOf, policies, rowsOf, type Shop } from './masking-fixture.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
  await shop.postgres.sql(`
    CREATE VIEW public.names AS SELECT id, email AS v FROM public.customers;
    CREATE VIEW other.names AS SELECT id, name AS v FROM public.customers`);
});
afterAll(() => shop?.stop());

async function exchange(client: RawPostgres, ...parts: readonly Uint8Array[]): Promise<RawMessage[]> {
  client.send(...parts);
  return client.until('Z');
}

function bindFormats(portal: string, statement: string, formats: readonly number[]): Buffer {
  const asked = formats.map((format) => int16(format));
  return message('B', cstring(portal), cstring(statement), int16(0), int16(0), int16(formats.length), ...asked);
}

async function asReader(run: (client: RawPostgres) => Promise<void>, ...groups: string[]): Promise<void> {
  const client = await shop.login(...(groups.length > 0 ? groups : ['readers']));
  try {
    await run(client);
  } finally {
    client.end();
  }
}

describe('formats', () => {
  const text = "SELECT id, email, phone, tags, prefs, email || '', c, row(email) FROM customers c ORDER BY id";

  test.each([
    ['all text', []],
    ['all binary', [1]],
    ['mixed', [1, 0, 1, 0, 1, 1, 1, 0]],
    ['mixed the other way', [0, 1, 0, 1, 0, 0, 0, 1]],
  ])('%s', async (_, formats) => {
    await asReader(async (client) => {
      const answer = await exchange(client, parse('', text), bindFormats('', '', formats), execute(''), sync);
      expect(rowsOf(answer)).toHaveLength(3);
      expect(leaked(answer)).toEqual([]);
    });
  });

  test('without a description', async () => {
    await asReader(async (client) => {
      const parts = [parse('', text), bind('', ''), execute('', 1), execute('', 1), execute('', 0), sync];
      const answer = await exchange(client, ...parts);
      expect(rowsOf(answer)).toHaveLength(3);
      expect(leaked(answer)).toEqual([]);
    });
  });
});

describe('a description that is out of date', () => {
  test.each([
    ['of a statement', parse('s', 'SELECT v FROM names')],
    ['of a statement by PREPARE', undefined],
  ])('%s whose names mean other tables now', async (_, prepare) => {
    await asReader(async (client) => {
      await ask(client, 'SET search_path = other, public');
      if (prepare) await exchange(client, prepare, sync);
      else await ask(client, 'PREPARE s AS SELECT v FROM names');
      await exchange(client, describeMessage('S', 's'), sync);
      const before = await exchange(client, bind('', 's'), describeMessage('P', ''), execute(''), sync);
      expect(rowsOf(before)).toContainEqual(['Zelda']);
      await ask(client, 'SET search_path = public');
      const after = await exchange(client, bind('', 's'), execute(''), sync);
      expect(rowsOf(after)).toHaveLength(3);
      expect(leaked(after)).toEqual([]);
    }, 'admins');
  });

  test('a portal keeps its own when another of the same statement is described', async () => {
    await asReader(async (client) => {
      await exchange(client, parse('s', 'SELECT v FROM names'), sync);
      await ask(client, 'BEGIN');
      await exchange(client, bind('labelled', 's'), sync);
      await ask(client, 'SET search_path = other, public');
      await exchange(client, bind('clear', 's'), describeMessage('P', 'clear'), execute('clear'), sync);
      const answer = await exchange(client, describeMessage('P', 'clear'), execute('labelled'), sync);
      expect(rowsOf(answer)).toHaveLength(3);
      expect(leaked(answer)).toEqual([]);
    }, 'admins');
  });

  test('of FETCH, when the cursor is another one now', async () => {
    await asReader(async (client) => {
      await ask(client, 'BEGIN');
      await ask(client, 'DECLARE c CURSOR FOR SELECT name FROM customers');
      const parts = [parse('f', 'FETCH 1 FROM c'), describeMessage('S', 'f'), bind('', 'f'), execute(''), sync];
      expect(rowsOf(await exchange(client, ...parts))).toEqual([['Zelda']]);
      await ask(client, 'CLOSE c');
      await ask(client, 'DECLARE c CURSOR FOR SELECT email FROM customers');
      const answer = await exchange(client, bind('', 'f'), execute(''), sync);
      expect(rowsOf(answer)).toHaveLength(1);
      expect(leaked(answer)).toEqual([]);
    });
  });

  test('of EXECUTE, when the name is another statement now', async () => {
    await asReader(async (client) => {
      await ask(client, 'PREPARE p AS SELECT name FROM customers');
      await exchange(client, parse('e', 'EXECUTE p'), describeMessage('S', 'e'), bind('', 'e'), execute(''), sync);
      await ask(client, 'DEALLOCATE p');
      await ask(client, 'PREPARE p AS SELECT email FROM customers');
      const answer = await exchange(client, bind('', 'e'), execute(''), sync);
      expect(leaked(answer)).toEqual([]);
    });
  });
});

describe('cursors and portals', () => {
  test.each([
    'DECLARE c CURSOR WITH HOLD FOR SELECT email, email || $$x$$, c FROM customers c',
    'DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT to_json(c), phone FROM customers c',
    'DECLARE c BINARY CURSOR WITH HOLD FOR SELECT email, tags, prefs FROM customers c',
  ])('%s', async (text) => {
    await asReader(async (client) => {
      await ask(client, text);
      for (const fetch of ['FETCH 1 FROM c', 'FETCH FORWARD 1 IN c', 'FETCH ALL c']) {
        const answer = await ask(client, fetch);
        expect(rowsOf(answer).length).toBeGreaterThan(0);
        expect(leaked(answer)).toEqual([]);
      }
    });
  });

  test('a cursor in the name of a portal', async () => {
    await asReader(async (client) => {
      await ask(client, 'BEGIN');
      await exchange(client, parse('', "SELECT email, email || '' FROM customers"), bind('p', ''), sync);
      const answer = await ask(client, 'FETCH ALL FROM p');
      expect(rowsOf(answer)).toHaveLength(3);
      expect(leaked(answer)).toEqual([]);
    });
  });

  test('a suspended portal shows no more than policy allows when it goes on', async () => {
    await asReader(
      async (client) => {
        client.send(parse('', 'SELECT email FROM customers ORDER BY id'), bind('', ''), execute('', 1), flush);
        expect(rowsOf(await client.until('s'))).toEqual([['zelda.quark@secretmail.com']]);
        await shop.gateway.setPolicies(policies.replace('@id("email-only") permit', '@id("email-only") forbid'));
        const rest = await exchange(client, execute(''), sync);
        expect(leaked(rest)).toEqual([]);
        await shop.gateway.setPolicies(policies);
      },
      'readers',
      'mailers',
    );
  });

  test('a prepared statement is masked by the policy of its run', async () => {
    await asReader(
      async (client) => {
        await exchange(client, parse('s', 'SELECT email FROM customers'), describeMessage('S', 's'), sync);
        expect(rowsOf(await exchange(client, bind('', 's'), execute(''), sync))).toContainEqual([
          'xena.warp@covert.net',
        ]);
        await shop.gateway.setPolicies(policies.replace('@id("email-only") permit', '@id("email-only") forbid'));
        expect(leaked(await exchange(client, bind('', 's'), execute(''), sync))).toEqual([]);
        await shop.gateway.setPolicies(policies);
      },
      'readers',
      'mailers',
    );
  });
});

describe('definitions that change', () => {
  test('a view that another session made show something else', async () => {
    await asReader(async (client) => {
      await shop.postgres.sql('CREATE VIEW moving AS SELECT id, name AS v FROM customers');
      expect(rowsOf(await ask(client, 'SELECT v FROM moving'))).toHaveLength(3);
      const seer = await shop.login('seers');
      await ask(seer, 'CREATE OR REPLACE VIEW moving AS SELECT id, email AS v FROM customers');
      const answer = await ask(client, "SELECT v, v || '' FROM moving");
      expect(rowsOf(answer)).toHaveLength(3);
      expect(leaked(answer)).toEqual([]);
      seer.end();
    });
  });

  test('a view made in the open transaction', async () => {
    await asReader(async (client) => {
      await ask(client, 'BEGIN');
      expect(outcomeOf(await ask(client, 'CREATE TEMP VIEW own AS SELECT id, name FROM customers'))).toBe('done');
      const answer = await ask(client, "SELECT o.name, c.email || '' FROM own o JOIN customers c USING (id)");
      expect(leaked(answer)).toEqual([]);
    }, 'admins');
  });

  test('a temporary table in the place of the real one', async () => {
    await asReader(async (client) => {
      await ask(client, 'CREATE TEMP TABLE customers (id int, email int, note text)');
      await ask(client, 'INSERT INTO customers VALUES (1, 2, $$own$$)');
      expect(rowsOf(await ask(client, 'SELECT note FROM customers'))).toEqual([['own']]);
      const answer = await ask(client, "SELECT email, email || '' FROM public.customers");
      expect(leaked(answer)).toEqual([]);
      for (const text of ["SELECT email || '' FROM customers", 'SELECT * FROM customers']) {
        expect(leaked(await ask(client, `DISCARD TEMP; ${text}`))).toEqual([]);
        expect(leaked(await ask(client, text))).toEqual([]);
      }
    }, 'admins');
  });
});

test('the function call message reads nothing', async () => {
  await asReader(async (client) => {
    const call = message('F', int32(2923), int16(0), int16(0), int16(0));
    expect(leaked(await exchange(client, call))).toEqual([]);
  });
});
