import type { Session } from '@sluice/core/contract/session.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { RpcError } from '../jsonrpc/message.ts';
import type { AnswerMasker } from './answer-masker.ts';
import { type AnswerTools, completionResult, promptResult, resourceResult, toolResult } from './answers.ts';
import { type Ask, textOf } from './ask.ts';
import type { Carrier } from './carrier.ts';
import type { Lists } from './lists.ts';
import { refusedCode, serverErrorCode } from './refusal.ts';
import { opaqueUnit } from './units.ts';

/** What came of a request: as the target says it, or as the client is told. */
export type Told = { readonly result: JsonObject } | { readonly error: RpcError };

export interface ShownAnswersPorts {
  readonly session: Session;
  readonly carrier: Carrier;
  readonly lists: Lists;
}

/** Answers of a target on their way to the client: masked by what was asked, recorded as the client will see them. */
export class ShownAnswers {
  readonly #session: Session;
  readonly #carrier: Carrier;
  readonly #lists: Lists;

  constructor({ session, carrier, lists }: ShownAnswersPorts) {
    this.#session = session;
    this.#carrier = carrier;
    this.#lists = lists;
  }

  /** The answer as the client gets it, and the recording with it. */
  async shown(ask: Ask, answer: Told, seq: number, masker: AnswerMasker, signal: AbortSignal): Promise<Told> {
    const session = this.#session;
    if ('error' in answer) {
      const error = shownError(answer.error, masker);
      this.#saw(masker);
      this.recordError(seq, error.code, error.message, 'upstream');
      return { error };
    }
    const result = await this.#masked(ask, answer.result, {
      masker,
      opaque: (kind, bytes) => this.#opaque(ask, kind, bytes, signal),
      leftOut: (what) => session.record({ type: 'event', name: 'left_out', detail: { unit: seq, what } }),
    });
    this.#saw(masker);
    const data = Buffer.from(JSON.stringify(result));
    session.record({ type: 'output', unit: seq, stream: 'result', data });
    const tag = result['isError'] === true ? 'error' : 'result';
    session.record({ type: 'complete', unit: seq, tag, rows: 0, bytes: data.length, digest: '' });
    return { result };
  }

  async #masked(ask: Ask, result: JsonObject, tools: AnswerTools): Promise<JsonObject> {
    switch (ask.method) {
      case 'tools/list':
        return result;
      case 'resources/list':
      case 'resources/templates/list':
      case 'prompts/list':
        return this.#lists.page(ask.method, result);
      case 'tools/call':
        return toolResult(result, tools);
      case 'resources/read':
        return resourceResult(result, tools);
      case 'prompts/get':
        return promptResult(result, tools);
      case 'completion/complete':
        return completionResult(result, tools);
      // MCP "EmptyResult".
      default:
        return {};
    }
  }

  /** What was said along the way ends with it. */
  recordError(unit: number, code: number, message: string, source: string): void {
    this.#session.record({ type: 'error', unit, code: String(code), message, source });
    this.#session.record({ type: 'complete', unit, tag: 'error', rows: 0, bytes: 0, digest: '' });
  }

  #saw(masker: AnswerMasker): void {
    const hidden = this.#session.hides(masker.labels);
    this.#session.sawLabels(masker.labels.filter((label) => !hidden.includes(label)));
  }

  async #opaque(ask: Ask, kind: string, bytes: number, signal: AbortSignal): Promise<boolean> {
    const unit = opaqueUnit(this.#session.info.target.name, ask, textOf(ask), kind, bytes);
    // The answer is there: nobody can be asked about it any more.
    if (this.#session.would(unit) === 'hold') {
      this.#session.refuse(
        'opaque',
        unit.actions[0]?.text ?? '',
        'It would need consent, which is not asked for an answer.',
      );
      return false;
    }
    const outcome = await this.#carrier.decide(unit, signal);
    return outcome.effect === 'allow' && this.#carrier.effect(outcome, () => true);
  }
}

/** A target's own error: its code, unless that is one of the gateway's, and its words, masked. */
function shownError({ code, message, data }: RpcError, masker: AnswerMasker): RpcError {
  masker.learn(data === undefined ? [] : [data], message);
  const shown = { code: code === refusedCode ? serverErrorCode : code, message: masker.text(message).slice(0, 4_096) };
  return data === undefined ? shown : { ...shown, data: masker.document(data) };
}
