import { open } from 'node:fs/promises';
import type pg from 'pg';
import type { Stage } from '../start.ts';
import type { ResultRow } from './agent.ts';

/** Looks at the database itself, past the gateway, so that the tour believes no one but the server. */
export class Witness {
  readonly #client: pg.Client;
  readonly #logFile: string;
  readonly #logStart: number;

  private constructor(client: pg.Client, logFile: string, logStart: number) {
    this.#client = client;
    this.#logFile = logFile;
    this.#logStart = logStart;
  }

  static async call(stage: Stage): Promise<Witness> {
    const { logFile } = stage.database;
    const client = await stage.database.connectDirectly();
    const file = await open(logFile);
    const { size } = await file.stat();
    await file.close();
    return new Witness(client, logFile, size);
  }

  async rows(sql: string, values: readonly (string | number)[] = []): Promise<readonly ResultRow[]> {
    return (await this.#client.query<ResultRow>(sql, [...values])).rows;
  }

  async value(sql: string, values: readonly (string | number)[] = []): Promise<unknown> {
    const [row] = await this.rows(sql, values);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** What the server itself logged since the tour began: every statement that reached it. */
  async log(): Promise<string> {
    const file = await open(this.#logFile);
    try {
      const { size } = await file.stat();
      const text = Buffer.alloc(size - this.#logStart);
      await file.read(text, 0, text.length, this.#logStart);
      return text.toString('utf8');
    } finally {
      await file.close();
    }
  }

  leave(): Promise<void> {
    return this.#client.end();
  }
}
