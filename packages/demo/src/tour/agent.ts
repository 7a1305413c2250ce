import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { Stage } from '../start.ts';
import { shop } from '../targets.ts';
import { harmless } from '../terminal/ink.ts';
import type { Cell } from '../terminal/layout.ts';
import type { Narrator } from './narrator.ts';

export type ResultRow = Readonly<Record<string, Cell>>;

/** What the world answered to an action. */
export type Observation =
  | { readonly kind: 'rows'; readonly rows: readonly ResultRow[]; readonly changed: number }
  | {
      readonly kind: 'refusal';
      readonly sqlstate: string;
      readonly message: string;
      readonly told: Refusal | undefined;
    };

/** The one line of JSON in the DETAIL of a refusal or notice. */
export interface Refusal {
  readonly decision: string;
  readonly policies: readonly string[];
  readonly request?: string;
  readonly url?: string;
}

export interface Step {
  readonly thought: string;
  readonly sql: string;
  readonly parameters?: readonly (string | number)[];
}

export interface Notice {
  readonly message: string;
  readonly told: Refusal | undefined;
}

/** The statement was sent; the answer may be long in coming. */
export interface Pending {
  /** Resolves with the gateway's first notice, or with undefined when the answer came without one. */
  readonly notice: Promise<Notice | undefined>;
  readonly answer: Promise<Observation>;
}

/**
 * A small ReAct agent: thought, action, observation. Its plan is scripted where a model would make it up; everything
 * from its database driver onwards is real. It holds a token of its own and no password of the database.
 */
export class Agent {
  readonly #client: pg.Client;
  readonly #narrator: Narrator;
  readonly #run: string;
  readonly #heard: string[] = [];
  #steps = 0;

  private constructor(client: pg.Client, narrator: Narrator) {
    this.#client = client;
    this.#narrator = narrator;
    this.#run = `tour-${process.pid}`;
  }

  static async connect(stage: Stage, narrator: Narrator): Promise<Agent> {
    const client = new pg.Client({
      host: 'localhost',
      port: stage.listeners.postgres.port,
      database: shop,
      user: 'support-agent',
      password: stage.tokens.agent,
      application_name: 'support-agent',
      ssl: { ca: await readFile(stage.certificates.authority, 'utf8'), servername: 'localhost' },
    });
    client.on('error', () => undefined);
    await client.connect();
    return new Agent(client, narrator);
  }

  /** Everything its driver was ever given, as text. */
  heard(): string {
    return this.#heard.join('\n');
  }

  async act(step: Step): Promise<Observation> {
    const observation = await this.begin(step).answer;
    this.observe(observation);
    return observation;
  }

  /** Sends the statement and does not wait; the caller shows the answer with `observe`. */
  begin(step: Step): Pending {
    this.#steps += 1;
    this.#narrator.thought(step.thought);
    const values = step.parameters ?? [];
    const list = values.map((value, index) => `$${index + 1} = ${value}`).join(', ');
    this.#narrator.action(list === '' ? step.sql : `${step.sql}\n${list}`);
    let stop: () => void = () => undefined;
    const notice = new Promise<Notice | undefined>((resolve) => {
      const hear = (message: { message?: string | undefined; detail?: string | undefined }): void => {
        this.#heard.push(JSON.stringify(message));
        resolve({ message: message.message ?? '', told: told(message.detail) });
      };
      this.#client.on('notice', hear);
      stop = () => {
        this.#client.off('notice', hear);
        resolve(undefined);
      };
    });
    const answer = this.#ask(`${step.sql} ${this.#claim(step.thought)}`, [...values]).finally(() => stop());
    // A scene that breaks off never looks at the answer, and it fails when the connection is closed under it.
    answer.catch(() => undefined);
    return { notice, answer };
  }

  observe(observation: Observation): void {
    if (observation.kind === 'refusal') {
      this.#narrator.observation(`ERROR ${observation.sqlstate}: ${harmless(observation.message)}`);
    } else if (observation.rows.length > 0) this.#narrator.rows(observation.rows);
    else this.#narrator.observation(`${observation.changed} row(s) changed`);
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  async #ask(text: string, values: (string | number)[]): Promise<Observation> {
    try {
      const result = await this.#client.query<ResultRow>(values.length === 0 ? { text } : { text, values });
      this.#heard.push(JSON.stringify(result.rows));
      return { kind: 'rows', rows: result.rows, changed: result.rowCount ?? 0 };
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      this.#heard.push(JSON.stringify({ ...error, message: error.message }));
      return { kind: 'refusal', sqlstate: error.code ?? '', message: error.message, told: told(error.detail) };
    }
  }

  /** What it says about its own reasoning travels in a comment; the gateway records it as a claim. */
  #claim(intent: string): string {
    const encoded = encodeURIComponent(intent).replaceAll("'", '%27').replaceAll('*', '%2A');
    return `/*intent='${encoded}',run='${this.#run}',step='${this.#steps}'*/`;
  }
}

function told(detail: string | undefined): Refusal | undefined {
  try {
    return detail === undefined ? undefined : (JSON.parse(detail) as Refusal);
  } catch {
    return undefined;
  }
}
