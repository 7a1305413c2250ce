import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';

/**
 * The pool as the query builder uses it, less one trap: a connection whose query never got an answer goes on waiting
 * for it, and so would whoever is given that connection next. Such a connection is closed instead.
 */
export function withoutHungConnections(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let hung: Error | undefined;
      const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
        if (hung) throw hung;
        try {
          return await client.query(text, [...values]);
        } catch (error) {
          // An error that comes from the server has a SQLSTATE; one without leaves open what the connection is doing.
          if (error instanceof Error && !('code' in error && error.code)) hung = error;
          throw error;
        }
      };
      return { query: query as PostgresPoolClient['query'], release: () => client.release(hung) };
    },
    end: () => pool.end(),
  };
}
