import type { Obligation } from '@sluice/core/domain/decision.ts';
import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { EndEvent, Entry, HeaderEvent } from '@sluice/core/recording/entry.ts';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import type { Paints } from '../terminal/output.ts';
import { visible, visibleLines } from '../terminal/visible.ts';
import { ContentText } from './content-text.ts';
import type { Shown } from './replay.ts';
import { ResultTable } from './result-table.ts';

type Event<Type extends RecordingEvent['type']> = Extract<RecordingEvent, { type: Type }>;

export interface TranscriptOptions {
  /** Only what is about this unit, and about the session. */
  readonly unit?: number;
  /** Also what was typed at terminals: often nobody saw it, as with passwords. */
  readonly typed?: boolean;
}

/** Turns events into text for people to read. Keeps what it needs to lay out the result under way. */
export class Transcript implements Shown {
  readonly #paint: Paints;
  readonly #options: TranscriptOptions;
  readonly #content: ContentText;
  #prompt = '';
  #othersRows = false;
  #table: ResultTable | undefined;

  constructor(paint: Paints, options: TranscriptOptions = {}) {
    this.#paint = paint;
    this.#options = options;
    this.#content = new ContentText(paint);
  }

  text(item: ReplayItem): string {
    const content = this.#contentOf(item);
    if (content !== undefined) return content;
    const lines = this.#lines(item);
    return lines.length === 0 ? '' : `${this.#content.close()}${lines.join('\n')}\n`;
  }

  end(): string {
    return this.#content.end();
  }

  /** What came out of a unit or went into it; undefined for everything else. */
  #contentOf(item: ReplayItem): string | undefined {
    if (item.kind !== 'entry') return undefined;
    const { event } = item.entry;
    if (event.type !== 'output' && event.type !== 'terminal' && event.type !== 'input') return undefined;
    if (this.#options.unit !== undefined && event.unit !== this.#options.unit) return '';
    if (event.type === 'output') return this.#content.output(event.unit, event.stream, event.data);
    if (event.type === 'input') return this.#content.typed(event.unit, event.data);
    if (event.direction === 'output') return this.#content.output(event.unit, 'terminal', event.data);
    return this.#options.typed ? this.#content.typed(event.unit, event.data) : '';
  }

  #lines(item: ReplayItem): string[] {
    if (item.kind === 'unreadable') {
      const { offset, bytes, problem } = item.unreadable;
      return [this.#paint.red(`!! unreadable at byte ${offset} (${bytes} bytes): ${visible(problem)}`)];
    }
    const { unit } = this.#options;
    const { event } = item.entry;
    const others = unit !== undefined && 'unit' in event && event.unit !== undefined && event.unit !== unit;
    if (event.type === 'shape') this.#othersRows = others;
    // Rows do not name their unit: they are of the shape before them.
    const rows = event.type === 'rows' || (event.type === 'capped' && event.unit === undefined);
    return others || (rows && this.#othersRows) ? [] : this.#entry(item.entry);
  }

  #entry({ time, event }: Entry): string[] {
    switch (event.type) {
      case 'header':
        return this.#header(event);
      case 'action':
        return this.#action(event, time);
      case 'shape':
        this.#table = new ResultTable(event.columns);
        return [];
      case 'rows':
        this.#table ??= new ResultTable([]);
        return this.#table.rows(event.cells);
      case 'capped':
        return [this.#paint.yellow(cappedText(event))];
      case 'complete':
        return this.#complete(event);
      case 'terminal':
      case 'output':
      case 'input':
        return [];
      case 'seal':
        return [this.#paint.dim(`Sealed over ${event.events} events by key ${visible(event.keyId)}`)];
      case 'end':
        return this.#end(event, time);
      default:
        return this.#remark(event);
    }
  }

  #header(header: HeaderEvent): string[] {
    const { principal, target, client } = header;
    this.#prompt = visible(target.name);
    const { bold, dim } = this.#paint;
    const lines = [
      bold(`Session ${visible(header.session)} on ${visible(target.name)} (${visible(target.connector)})`),
      `${principal.kind} ${visible(principal.displayName)} (${visible(principal.id)})`,
    ];
    if (principal.owner) lines.push(`owned by ${visible(principal.owner.id)}`);
    if (principal.chain.length > 0) {
      lines.push(`acting through ${principal.chain.map(({ id }) => visible(id)).join(' → ')}`);
    }
    const application = client.application === undefined ? '' : `, calls itself ${visible(client.application)}`;
    lines.push(dim(`${instant(header.startedAt)} from ${visible(client.address)}${application}`), '');
    return lines;
  }

  #action(action: Event<'action'>, time: number): string[] {
    const { dim } = this.#paint;
    const text = action.text.length > 0 ? action.text : [action.actions.map(({ verb }) => verb).join(', ')];
    const lines = text.flatMap((statement) =>
      visibleLines(statement).map((line, i) => `${i === 0 ? `${this.#prompt}> ` : `${this.#prompt}- `}${line}`),
    );
    lines[0] = `${dim(clock(time))} ${lines[0] ?? ''}`;
    if (action.parameters.length > 0) {
      const values = action.parameters.map(
        (value, i) => `$${i + 1} = ${value === null ? 'null' : visible(`'${value}'`)}`,
      );
      lines.push(dim(`  ${values.join(', ')}`));
    }
    lines.push(this.#decision(action));
    for (const { policy, text: reason } of action.reasons) {
      if (action.effect !== 'allow') lines.push(`  ${visible(policy)}: ${visible(reason)}`);
    }
    const { run } = action;
    if (run) {
      const claims = Object.entries(run).map(([name, value]) => `${visible(name)} ${visible(String(value))}`);
      lines.push(dim(`  the client claims: ${claims.join(', ')}`));
    }
    for (const { policy, effect } of action.dryRun) lines.push(dim(`  dry run: ${visible(policy)} would ${effect}`));
    return lines;
  }

  #decision(action: Event<'action'>): string {
    const { green, red, yellow, dim } = this.#paint;
    const paint = { allow: green, deny: red, hold: yellow }[action.effect];
    const parts = [action.policies.length > 0 ? `by ${action.policies.map(visible).join(', ')}` : 'by no policy'];
    if (action.request !== undefined) parts.push(`request ${visible(action.request)}`);
    parts.push(...action.obligations.map(obligation));
    return `  ${paint(action.effect)} ${dim(parts.join('; '))}`;
  }

  #complete(event: Event<'complete'>): string[] {
    const lines = this.#table ? this.#table.end() : [];
    this.#table = undefined;
    const rows = event.rows === 0 ? '' : ` (${event.rows} ${event.rows === 1 ? 'row' : 'rows'})`;
    const bytes = event.streams ? ` (${event.bytes} ${event.bytes === 1 ? 'byte' : 'bytes'})` : '';
    const tag = event.unfinished ? `unfinished ${event.tag}`.trim() : event.tag;
    return [...lines, `${visible(tag)}${this.#paint.dim(rows + bytes)}`, ''];
  }

  #remark(event: Event<'approval' | 'notice' | 'error' | 'resize' | 'event'>): string[] {
    const { red, yellow, dim } = this.#paint;
    switch (event.type) {
      case 'approval': {
        const reviewers = event.reviewers.map(({ id }) => visible(id)).join(', ');
        const by = reviewers === '' ? '' : ` by ${reviewers}`;
        const comment = event.comment === undefined ? '' : `: ${visible(event.comment)}`;
        return [yellow(`-- request ${visible(event.request)} ${visible(event.state)}${by}${comment}`)];
      }
      case 'notice':
        return [`${visible(event.severity)} ${visible(event.code)}: ${visible(event.message)}`];
      case 'error':
        this.#table = undefined;
        return [red(`ERROR ${visible(event.code)} (${visible(event.source)}): ${visible(event.message)}`), ''];
      case 'resize':
        return [dim(`-- terminal is ${event.columns} × ${event.rows} now`)];
      case 'event': {
        const detail = Object.entries(event.detail).map(
          ([name, value]) => `${visible(name)}=${visible(String(value))}`,
        );
        return [dim(`-- ${[visible(event.name), ...detail].join(' ')}`)];
      }
    }
  }

  #end(end: EndEvent, time: number): string[] {
    const { bold, red, dim } = this.#paint;
    const lines = [bold(`${clock(time)} Session ended: ${visible(end.reason).replaceAll('_', ' ')}`)];
    if (end.error !== undefined) lines.push(red(visible(end.error)));
    if (end.lost > 0) lines.push(red(`${end.lost} events could not be written`));
    if (end.counts) {
      const { units, allowed, denied, held, rows, outputBytes } = end.counts;
      const output = outputBytes === 0 ? '' : `, ${outputBytes} bytes of output`;
      lines.push(dim(`${units} decisions: ${allowed} allow, ${denied} deny, ${held} hold; ${rows} rows${output}`));
    }
    return lines;
  }
}

function cappedText({ unit, stream, afterRows, afterBytes }: Event<'capped'>): string {
  if (unit === undefined) return `… rows after the first ${afterRows} were counted, not kept`;
  return `… ${visible(stream ?? 'output')} after the first ${afterBytes} bytes was counted, not kept`;
}

function obligation(one: Obligation): string {
  switch (one.kind) {
    case 'mask':
      return `mask ${one.labels.map(visible).join(', ')}`;
    case 'limit_rows':
      return `at most ${one.rows} rows`;
    case 'read_only':
      return 'read only';
    case 'notify':
      return `notify ${visible(one.channel)}`;
  }
}

/** `+0:01.250` since the start. */
function clock(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `+${minutes}:${seconds.toFixed(3).padStart(6, '0')}`;
}

/** Any number a file may hold, also one that is no date. */
function instant(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : date.toISOString();
}
