/** What an exchange of HTTP came to, in the words of the contract suite; by whatever version it was carried. */
import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { Answer, Proof, Words } from './adapter.ts';

/** Asks that the gateway takes up to where the target's own paths begin, and how their bodies are framed. */
export const forms = ['by path', 'by name, in chunks'] as const;

/** Bytes of one answer that are kept. */
export const mostKept = 16 * 1024 * 1024;

/** Stands in bytes below all checks for what the client proves itself with. */
export const proofHere = 'PROOF-HERE';

/** Opens a session, and is permitted to whoever may open one. */
export const probe = 'GET /graphql?query=%7Bok%7D';

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

export interface WrittenRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly chunked: boolean;
  readonly body: Buffer | undefined;
}

export function proofText(proof: Proof): string {
  return `Bearer ${proof.kind === 'token' ? proof.token : `${proof.id}:${proof.secret}`}`;
}

/** A method and a path, and behind an empty line a body in JSON. */
export function writtenRequest(text: string, form: string | undefined, target: string): WrittenRequest {
  const [line = '', ...rest] = text.split('\n\n');
  const [method = '', path = ''] = line.split(' ');
  const named = form === forms[1];
  return {
    method,
    path: named ? path : `/t/${target}${path}`,
    host: named ? target : 'localhost',
    chunked: named,
    body: rest.length === 0 ? undefined : Buffer.from(rest.join('\n\n')),
  };
}

interface Problem {
  readonly type: string;
  readonly detail: string;
  readonly decision: string;
  readonly reason: string;
  readonly policies: readonly string[];
  readonly request?: string;
  readonly url?: string;
  readonly hint: string;
}

export function answerOf(answer: HttpAnswer): Answer {
  const { status, type, body } = answer;
  const problem = problemIn(answer);
  if (problem?.decision !== undefined) {
    const { decision, reason, policies, request, url, hint } = problem;
    return {
      outcome: 'refused',
      ...wordsOf(answer),
      refusal: { decision, reason, policies, request, url, hint },
    };
  }
  if (status >= 400 || problem) return { outcome: 'failed', ...wordsOf(answer) };
  const values = valuesIn(type, body.toString('utf8'));
  return { outcome: 'done', values, items: values.length };
}

export function wordsOf(answer: HttpAnswer): Words {
  const { status, type, body } = answer;
  const problem = problemIn(answer);
  const message = problem
    ? [problem.detail, problem.request].filter((each) => each !== undefined).join(' ')
    : type.startsWith('text/plain') && status >= 400
      ? body.toString('utf8').trim()
      : `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return { code: String(status), message };
}

/** RFC 9457, or what a client is told of something that waits. */
function problemIn({ status, type, body }: HttpAnswer): Problem | undefined {
  if (!type.startsWith('application/problem+json') && status !== 202) return undefined;
  return JSON.parse(body.toString('utf8')) as Problem;
}

function valuesIn(type: string, text: string): (string | null)[] {
  if (text === '') return [];
  if (type.startsWith('application/json')) return leavesOf(JSON.parse(text));
  return text.split('\n').filter((line) => line !== '');
}

function leavesOf(value: unknown): (string | null)[] {
  if (value === null) return [null];
  if (typeof value !== 'object') return [String(value)];
  return Object.values(value).flatMap(leavesOf);
}
