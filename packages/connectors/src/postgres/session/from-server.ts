/**
 * The server's messages: each must be one that is owed now. Results are masked and recorded on the way; whatever does
 * not fit the protocol ends the session.
 */
import { CoreError } from '@sluice/core/domain/error.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { scrubError } from '../cells/scrub-error.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import {
  type Column,
  readCommandTag,
  readNotification,
  readParameterStatus,
  readRowDescription,
  readStatus,
  readTextRow,
} from '../protocol/backend.ts';
import { server } from '../protocol/codes.ts';
import { type Fields, readFields, writeFields } from '../protocol/fields.ts';
import { Framer, type Treatment } from '../protocol/framer.ts';
import { notification } from '../protocol/messages.ts';
import type { Conversation } from './conversation.ts';
import { speaksOfOthers } from './foreign-text.ts';
import { descriptionKey, isPortal, type Owed, type StatementRun } from './owed.ts';
import { Result, type ResultPorts } from './result.ts';
import { ResultShapes } from './result-shapes.ts';

const largestMessage = 16_777_216;
const largestMaskedRow = 268_435_456;
const streamFrom = 1_048_576;
const rowTypes: ReadonlySet<number> = new Set([server.dataRow, server.copyData]);

export class FromServer {
  readonly #c: Conversation;
  readonly #framer: Framer;
  readonly #resultPorts: ResultPorts;
  readonly #shapes: ResultShapes;
  #result: Result | undefined;
  /** A change to labelled data is not committed yet: a deferred constraint or trigger may speak of it later. */
  #deferred = false;

  constructor(c: Conversation) {
    this.#c = c;
    this.#framer = new Framer((type, length) => this.#treat(type, length), {
      frame: (type, frame) => this.#frame(type, frame),
      run: (bytes, at) => (c.over ? at : (this.#result?.run(bytes, at) ?? at)),
      inRuns: rowTypes,
      piece: (type, bytes, first) => this.#piece(type, bytes, first),
      oversized: () => {},
    });
    this.#shapes = new ResultShapes({
      masker: c.session.masker,
      catalog: () => c.catalog.current(),
      columnLabels: (column, run) => this.#labelsOf(column, run),
    });
    this.#resultPorts = {
      session: c.session,
      output: c.output,
      types: (oid) => c.catalog.current().typeByOid(oid),
      shapeOf: (run, columns, formats) => this.#shapes.shapeOf(run, columns, formats),
    };
  }

  /** Takes a chunk; the caller flushes the outputs afterwards. */
  push(chunk: Uint8Array): void {
    if (this.#c.over) return;
    try {
      this.#framer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    } catch (error) {
      if (error instanceof CoreError) this.#c.fail(error, 'upstream_closed');
      else this.#c.fail(violation('a malformed message', error), 'upstream_closed');
    }
  }

  #frame(type: number, frame: Buffer): void {
    const c = this.#c;
    if (c.over) return;
    switch (type) {
      case server.dataRow:
        this.#row(frame);
        break;
      case server.notice:
        this.#notice(frame);
        break;
      case server.notification:
        c.output.write(this.#notification(frame));
        break;
      case server.parameterStatus:
        this.#parameter(frame);
        break;
      case server.error:
        this.#error(frame);
        break;
      case server.readyForQuery:
        this.#ready(frame);
        break;
      default:
        this.#answer(type, frame);
        c.advance();
    }
  }

  /** Everything that answers exactly one thing owed. */
  #answer(type: number, frame: Buffer): void {
    const c = this.#c;
    const head = this.#head(type);
    switch (type) {
      case server.parseComplete:
        if (head.kind !== 'parse') throw unexpected(type);
        this.#confirm(head, frame);
        break;
      case server.bindComplete:
        if (head.kind !== 'bind') throw unexpected(type);
        this.#confirm(head, frame);
        break;
      case server.closeComplete:
        if (head.kind !== 'close') throw unexpected(type);
        this.#confirm(head, frame);
        break;
      case server.parameterDescription:
        this.#parameterDescription(head, frame);
        break;
      case server.rowDescription:
        this.#rowDescription(head, frame);
        break;
      case server.noData:
        if (head.kind !== 'describe') throw unexpected(type);
        this.#described(head, [], frame);
        break;
      case server.commandComplete:
      case server.emptyQuery:
        this.#complete(head, type, frame);
        break;
      case server.portalSuspended:
        if (head.kind !== 'execute') throw unexpected(type);
        this.#suspended(head.portal.run);
        c.owed.shift();
        c.output.pass(frame);
        break;
      case server.copyIn:
        if (this.#runOf(head)?.meaning.copy?.direction !== 'from') throw unexpected(type);
        c.output.pass(frame);
        break;
      case server.copyOut:
        this.#copyOut(head, frame);
        break;
      case server.copyData:
        if (!this.#result) throw unexpected(type);
        this.#result.copyData(frame);
        break;
      case server.copyDone:
        if (!this.#result) throw unexpected(type);
        this.#result.copyDone(frame);
        break;
      default:
        throw unexpected(type);
    }
  }

  #confirm(head: Owed & { kind: 'parse' | 'bind' | 'close' }, frame: Buffer): void {
    head.change.confirm();
    this.#c.owed.shift();
    this.#c.output.pass(frame);
  }

  #parameterDescription(head: Owed, frame: Buffer): void {
    if (head.kind !== 'describe' || isPortal(head.of)) throw unexpected(server.parameterDescription);
    const reader = new ByteReader(frame, 5);
    const types: number[] = [];
    for (let left = reader.uint16(); left > 0; left--) types.push(reader.uint32());
    head.of.parameterTypes = types;
    this.#c.output.pass(frame);
  }

  #rowDescription(head: Owed, frame: Buffer): void {
    if (head.kind === 'own') return;
    if (head.kind === 'describe') {
      const meaning = isPortal(head.of) ? head.of.run?.meaning : undefined;
      this.#described(head, meaning ? this.#shapes.columnsOf(meaning, frame) : readRowDescription(frame), frame);
      return;
    }
    const run = this.#runOf(head);
    if (head.kind !== 'query' || !run || this.#result) throw unexpected(server.rowDescription);
    this.#result = new Result(this.#resultPorts, run, this.#shapes.columnsOf(run.meaning, frame), []);
    this.#c.output.pass(frame);
  }

  #described(head: Owed & { kind: 'describe' }, columns: readonly Column[], frame: Buffer): void {
    // A statement's description says what it would give now, not what a later portal of it gives.
    if (isPortal(head.of)) {
      head.of.result.columns = columns;
      const key = descriptionKey(head.of.run?.meaning);
      if (key !== undefined) head.of.prepared.described = { columns, key };
    }
    this.#c.owed.shift();
    if (!head.hidden) this.#c.output.pass(frame);
  }

  #row(frame: Buffer): void {
    const head = this.#head(server.dataRow);
    if (head.kind === 'own') {
      head.rows.push(readTextRow(frame));
      return;
    }
    if (!this.#result && head.kind === 'execute') this.#result = this.#executeResult(head);
    if (!this.#result) throw unexpected(server.dataRow);
    this.#result.row(frame);
  }

  #executeResult(head: Owed & { kind: 'execute' }): Result {
    const { run, result, formats } = head.portal;
    // Without a description nothing could be masked; the gateway asked for one, so a server that gives rows lies.
    if (!run || result.columns === undefined) throw unexpected(server.dataRow);
    return new Result(this.#resultPorts, run, result.columns, formats);
  }

  #copyOut(head: Owed, frame: Buffer): void {
    const run = this.#runOf(head);
    if (run?.meaning.copy?.direction !== 'to' || this.#result) throw unexpected(server.copyOut);
    this.#result = new Result(this.#resultPorts, run, [], []);
    this.#result.startCopy();
    this.#c.output.pass(frame);
  }

  #suspended(run: StatementRun | undefined): void {
    this.#result?.suspended();
    if (run) {
      this.#c.session.record({ type: 'complete', unit: run.unit, tag: 'suspended', rows: 0, bytes: 0, digest: '' });
      this.#shown(run);
    }
    this.#result = undefined;
  }

  /** What was shown in clear counts from the first row on, whether or not the rest of them ever comes. */
  #shown(run: StatementRun): void {
    const shown = run.meaning.labels.filter((label) => !run.masked.has(label));
    if (shown.length > 0 && run.meaning.returnsRows) this.#c.session.sawLabels(shown);
  }

  #complete(head: Owed, type: number, frame: Buffer): void {
    const c = this.#c;
    if (head.kind === 'own') return;
    const run = this.#runOf(head);
    if (head.kind !== 'query' && head.kind !== 'execute') throw unexpected(type);
    if (type === server.emptyQuery) {
      if (run) throw unexpected(type);
      c.output.pass(frame);
    } else {
      if (!run) throw unexpected(type);
      if (this.#result) this.#result.complete(frame);
      else {
        c.session.record({
          type: 'complete',
          unit: run.unit,
          tag: readCommandTag(frame),
          rows: 0,
          bytes: 0,
          digest: '',
        });
        c.output.pass(frame);
      }
      this.#result = undefined;
      c.state.completed(run.meaning);
      if (changesData(run.meaning) && this.#scrubs(run)) this.#deferred = true;
      this.#shown(run);
    }
    if (head.kind === 'query') head.at++;
    else c.owed.shift();
  }

  #error(frame: Buffer): void {
    const c = this.#c;
    const head = c.owed.first;
    const fields = readFields(frame);
    const fatal = /^(FATAL|PANIC)$/.test(fields.get('V') ?? fields.get('S') ?? '');
    if (head?.kind === 'own') {
      head.error = new CoreError(
        'upstream_protocol',
        'upstream',
        'The database refused a query of the gateway itself.',
        {
          detail: fields.get('M') ?? '',
        },
      );
      return;
    }
    const run = head && this.#runOf(head);
    if (this.#result && run) this.#shown(run);
    this.#result = undefined;
    const shown = this.#mustScrub(head, fields) ? scrubError(fields) : fields;
    c.session.record({
      type: 'error',
      ...(run ? { unit: run.unit } : {}),
      code: shown.get('C') ?? '',
      message: shown.get('M') ?? '',
      source: 'upstream',
    });
    const instead = this.#instead(head);
    c.output.write(instead ?? (shown === fields ? frame : writeFields(server.error, shown)));
    if (fatal || !head) {
      c.close('upstream_closed');
      return;
    }
    if (head.kind === 'query') head.failed = true;
    else if (head.kind === 'abort') this.#aborted(head);
    else if (head.kind !== 'sync') this.#skipToSync();
  }

  #aborted(head: Owed & { kind: 'abort' }): void {
    head.change?.confirm();
    if (head.ready) {
      head.failed = true;
      return;
    }
    this.#c.owed.shift();
    this.#skipToSync();
  }

  /** An error that the gateway provoked is told in the gateway's words. */
  #instead(head: Owed | undefined): Uint8Array | undefined {
    if (head?.kind === 'abort') return this.#c.wording(head.answer);
    const refusal = this.#c.copyRefusal;
    this.#c.copyRefusal = undefined;
    return refusal;
  }

  /** After an error in the extended protocol the server ignores everything up to Sync (protocol, "Extended Query"). */
  #skipToSync(): void {
    const { owed } = this.#c;
    while (owed.first && owed.first.kind !== 'sync') {
      const skipped = owed.shift();
      if (skipped && 'change' in skipped) skipped.change?.undo();
      // Its portal may outlive the error, behind a savepoint, and is then to be asked about again.
      if (skipped?.kind === 'describe' && isPortal(skipped.of)) delete skipped.of.result.asked;
      if (skipped?.kind === 'own') skipped.done({ ...skipped, error: new Error('skipped by the server') });
    }
    if (owed.length > 0) return;
    this.#c.skipping = true;
    // What later messages waited for was skipped, too; they are skipped in their turn.
    this.#c.onSettled();
  }

  #notice(frame: Buffer): void {
    const c = this.#c;
    const head = c.owed.first;
    if (head?.kind === 'own') return;
    const run = head && this.#runOf(head);
    const fields = readFields(frame);
    const shown = this.#mustScrub(head, fields) ? scrubError(fields) : fields;
    c.session.record({
      type: 'notice',
      ...(run ? { unit: run.unit } : {}),
      severity: shown.get('V') ?? 'NOTICE',
      code: shown.get('C') ?? '',
      message: shown.get('M') ?? '',
    });
    if (shown === fields) c.output.pass(frame);
    else c.output.write(writeFields(server.notice, shown));
  }

  #parameter(frame: Buffer): void {
    const { name, value } = readParameterStatus(frame);
    // From here on the server would read other characters or strings than the ones that are judged.
    if (
      (name === 'client_encoding' && value !== 'UTF8') ||
      (name === 'standard_conforming_strings' && value !== 'on')
    ) {
      throw violation(`${name} changed to ${value}`);
    }
    this.#c.state.told(name, value);
    this.#c.output.pass(frame);
  }

  #ready(frame: Buffer): void {
    const c = this.#c;
    const head = this.#head(server.readyForQuery);
    const whole =
      head.kind === 'sync' ||
      (head.kind === 'abort' && head.failed) ||
      head.kind === 'own' ||
      (head.kind === 'query' && (head.failed || head.at >= head.runs.length));
    if (!whole) throw unexpected(server.readyForQuery);
    c.owed.shift();
    if (head.kind === 'query') head.change.confirm();
    c.state.ready(readStatus(frame));
    if (c.state.status === 'I') this.#deferred = false;
    if (head.kind === 'own') head.done(head);
    else {
      c.output.pass(frame);
      c.settle();
    }
    c.advance();
  }

  #piece(type: number, bytes: Buffer, first: boolean): void {
    if (!this.#result || this.#result.masks) throw unexpected(type);
    this.#result.piece(bytes, first);
  }

  #treat(type: number, length: number): Treatment {
    if (type !== server.dataRow && type !== server.copyData) return length > largestMessage ? 'fatal' : 'keep';
    if (length <= streamFrom) return 'keep';
    const head = this.#c.owed.first;
    if (!this.#result && head?.kind === 'execute') this.#result = this.#executeResult(head);
    if (this.#result && !this.#result.masks) return 'stream';
    return length > largestMaskedRow ? 'fatal' : 'keep';
  }

  /** By provenance where the server names a column; for an expression, all that the statement touches. */
  #labelsOf(column: Column, run: StatementRun): readonly string[] {
    if (column.table === 0) return run.meaning.expressionLabels;
    const known = this.#c.catalog.current().columnLabels(column.table, column.attribute);
    // A table that the catalog does not know yet could hold anything.
    return known ?? this.#c.ports.labels.all(this.#c.state.target);
  }

  #mustScrub(head: Owed | undefined, fields: Fields): boolean {
    const run = head && this.#runOf(head);
    if (run && this.#scrubs(run)) return true;
    if (this.#hidesAny() && speaksOfOthers(fields, (schema, table) => this.#labelled(schema, table))) return true;
    return this.#deferred && (head?.kind === 'sync' || (run !== undefined && checksDeferred(head, run)));
  }

  #scrubs(run: StatementRun): boolean {
    return run.meaning.scrubErrors && this.#hidesAny();
  }

  /** Whether there is any label on the target that the principal may not see. */
  #hidesAny(): boolean {
    return this.#c.session.hides(this.#c.ports.labels.all(this.#c.state.target)).length > 0;
  }

  #labelled(schema: string, table: string): boolean {
    const catalog = this.#c.catalog.current();
    const relation = catalog.relation(schema, table);
    return relation === undefined || catalog.relationLabels(relation).length > 0;
  }

  /** Another session, or a trigger, put anything it liked into the text (NotificationResponse). */
  #notification(frame: Buffer): Uint8Array {
    const all = this.#c.ports.labels.all(this.#c.state.target);
    const { pid, channel, text } = readNotification(frame);
    if (text === '' || !this.#hidesAny()) return frame;
    return notification(pid, channel, this.#c.session.masker.hide(all, { kind: 'text' }) ?? '');
  }

  #runOf(owed: Owed): StatementRun | undefined {
    if (owed.kind === 'query') return owed.runs[owed.at];
    if (owed.kind === 'execute') return owed.portal.run;
    if (owed.kind === 'bind') return owed.run;
    return undefined;
  }

  #head(type: number): Owed {
    const head = this.#c.owed.first;
    if (!head) throw unexpected(type);
    return head;
  }
}

function changesData(meaning: StatementMeaning): boolean {
  return meaning.actions.some((action) => action.access !== 'read');
}

/** Whether what was put off to the end of the transaction may happen now (SET CONSTRAINTS, "Description"). */
function checksDeferred(head: Owed | undefined, { meaning }: StatementRun): boolean {
  // The last statement of several commits them all where no transaction is open.
  if (head?.kind === 'query' && head.runs.length > 1) return true;
  return meaning.kind === 'set_constraints' || meaning.effects.some(({ kind }) => endings.has(kind));
}

const endings: ReadonlySet<string> = new Set(['commit', 'prepare_transaction']);

function unexpected(type: number): CoreError {
  return violation(`message 0x${type.toString(16)} at a place where the protocol has none`);
}

function violation(what: string, cause?: unknown): CoreError {
  return new CoreError(
    'upstream_protocol',
    'upstream',
    'The database broke the PostgreSQL protocol; the session is closed.',
    {
      detail: `upstream sent ${what}`,
      cause,
    },
  );
}
