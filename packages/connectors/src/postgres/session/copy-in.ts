import { client } from '../protocol/codes.ts';
import { type Conversation, controlUnit } from './conversation.ts';

/**
 * COPY … FROM STDIN: the rows belong to a statement that was allowed. Copy messages that no such statement waits for
 * are dropped, as the server drops them after a failed COPY.
 */
export class CopyIn {
  readonly #c: Conversation;

  constructor(c: Conversation) {
    this.#c = c;
  }

  message(type: number, frame: Buffer): void {
    const c = this.#c;
    if (!this.#expected()) return;
    const name = type === client.copyData ? 'CopyData' : type === client.copyDone ? 'CopyDone' : 'CopyFail';
    c.forward(c.permitFor(controlUnit(name, frame)), undefined);
  }

  #expected(): boolean {
    return this.#c.owed.some((owed) => {
      if (owed.kind === 'query')
        return !owed.failed && owed.runs.slice(owed.at).some((run) => run.meaning.copy?.direction === 'from');
      return owed.kind === 'execute' && owed.portal.run?.meaning.copy?.direction === 'from';
    });
  }
}
