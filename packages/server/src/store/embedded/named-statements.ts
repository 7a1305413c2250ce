import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';

/** Texts that get a name; the queries of the store are far fewer, but for those that spell out how many values they have. */
const mostNamed = 128;
/** Characters. */
const longestNamed = 2_048;

/**
 * The pool as the query builder uses it, with each text prepared once under a name of its own, and planned once in the
 * end: planning is most of what a lookup by its key takes. With values only: what has none may be several statements.
 */
export function withNamedStatements(pool: pg.Pool): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= mostNamed || text.length > longestNamed) return known;
    const name = `s${names.size}`;
    names.set(text, name);
    return name;
  };
  return {
    async connect() {
      const client = await pool.connect();
      const query = (text: string, values: readonly unknown[]): Promise<unknown> => {
        const name = values.length === 0 ? undefined : nameOf(text);
        return client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) });
      };
      return { query: query as PostgresPoolClient['query'], release: () => client.release() };
    },
    end: () => pool.end(),
  };
}
