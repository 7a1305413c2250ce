import { StringDecoder } from 'node:string_decoder';
import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { AnyEvent, HeaderEvent } from '@sluice/core/recording/entry.ts';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import { safeJson, visible } from '../terminal/visible.ts';
import { TerminalFilter } from './terminal-filter.ts';

export interface CastOptions {
  /** Only this unit; without it all of them, one after the other or at the same time as they were. */
  readonly unit?: number;
  /** Also what was typed, and what was sent to commands. */
  readonly input?: boolean;
}

type Code = 'o' | 'i' | 'r' | 'm' | 'x';

interface Stream {
  readonly decoder: StringDecoder;
  readonly filter: TerminalFilter;
}

/** Where no terminal says how large it is. */
const usual = { columns: 80, rows: 24 };

/** A player allocates what a cast asks for. */
const largest = 1000;

const longestLabel = 200;

/** A crafted recording may have any number of units, and of decisions before anything is shown. */
const mostStreams = 1024;
const mostPending = 1024;

/**
 * A recording as an asciicast, version 3 (docs.asciinema.org/manual/asciicast/v3): what terminals and commands showed,
 * with a marker for each decision. Players draw on terminals, so what could do more than draw is left out.
 */
export class Asciicast {
  readonly #options: CastOptions;
  readonly #streams = new Map<string, Stream>();
  #session: HeaderEvent | undefined;
  #headed = false;
  #pending: string[] = [];
  /** Microseconds: up to here the intervals go. */
  #time: number | undefined;
  #start = 0;
  #exited = false;
  #shown = false;

  constructor(options: CastOptions = {}) {
    this.#options = options;
  }

  /** Whether there was anything to show. */
  get shown(): boolean {
    return this.#shown;
  }

  /** The lines that this item makes, each with its line break. */
  text(item: ReplayItem): string {
    if (item.kind === 'unreadable') {
      // When it was is not known: with what came before it.
      return this.#time === undefined ? '' : this.#event('m', `unreadable: ${item.unreadable.problem}`, this.#time);
    }
    const { event, time } = item.entry;
    if (event.type === 'header') this.#session ??= event;
    if (this.#exited || !this.#wants(event)) return '';
    return this.#line(event, time);
  }

  end(): string {
    const time = this.#time ?? 0;
    let lines = '';
    for (const { decoder, filter } of this.#streams.values()) {
      const rest = filter.push(decoder.end());
      if (rest !== '' && !this.#exited) lines += this.#event('o', rest, time);
    }
    return lines + this.#head(usual);
  }

  #wants(event: AnyEvent): boolean {
    const { unit } = this.#options;
    return unit === undefined || ('unit' in event && event.unit === unit);
  }

  #line(event: AnyEvent, time: number): string {
    switch (event.type) {
      case 'action':
        return this.#event('m', actionLabel(event), time);
      case 'approval':
        return this.#event('m', `${event.unit}: request ${event.request} ${event.state}`, time);
      case 'error':
        return this.#event('m', `${event.unit ?? ''}: error ${event.code}`, time);
      case 'capped':
        if (event.unit === undefined) return '';
        return this.#event('m', `${event.unit}: ${event.stream} goes on, but no more was kept`, time);
      case 'complete':
        return this.#complete(event, time);
      case 'resize':
        return this.#resize(event, time);
      case 'terminal':
      case 'output':
      case 'input':
        return this.#content(event, time);
      default:
        return '';
    }
  }

  #content(event: RecordingEvent & { type: 'terminal' | 'output' | 'input' }, time: number): string {
    const input = event.type === 'input' || (event.type === 'terminal' && event.direction === 'input');
    if (input && !this.#options.input) return '';
    const name = event.type === 'output' ? event.stream : event.type;
    const { decoder, filter } = this.#stream(`${event.unit} ${input ? 'in' : 'out'} ${name}`);
    const text = decoder.write(event.data);
    if (input) return text === '' ? '' : this.#head(usual) + this.#event('i', text, time);
    this.#shown = true;
    const drawn = filter.push(text);
    // A terminal's own driver returns the carriage; nothing did that for output that went to none.
    const lines = event.type === 'output' ? drawn.replace(/\r?\n/g, '\r\n') : drawn;
    return lines === '' ? '' : this.#head(usual) + this.#event('o', lines, time);
  }

  #resize({ columns, rows }: RecordingEvent & { type: 'resize' }, time: number): string {
    if (columns < 1 || rows < 1) return '';
    const size = { columns: Math.min(columns, largest), rows: Math.min(rows, largest) };
    if (!this.#headed) return this.#head(size);
    return this.#event('r', `${size.columns}x${size.rows}`, time);
  }

  #complete({ unit, tag }: RecordingEvent & { type: 'complete' }, time: number): string {
    const status = /^exit (\d{1,3})$/.exec(tag)?.[1];
    if (this.#options.unit === undefined) return this.#event('m', `${unit}: ${tag}`, time);
    if (status === undefined) return this.#event('m', tag, time);
    const lines = this.#head(usual) + this.#event('x', status, time);
    this.#exited = true;
    return lines;
  }

  #event(code: Code, data: string, time: number): string {
    // A cast of one unit starts with that unit.
    if (this.#time === undefined) {
      this.#start = this.#options.unit === undefined ? 0 : time;
      this.#time = this.#start;
    }
    const interval = Math.max(time - this.#time, 0) / 1e6;
    this.#time = Math.max(time, this.#time);
    const text = code === 'm' ? visible(data).slice(0, longestLabel) : data;
    const line = `${safeJson([interval, code, text])}\n`;
    if (this.#headed) return line;
    this.#pending.push(line);
    return this.#pending.length > mostPending ? this.#head(usual) : '';
  }

  /** The header and what waited for it; nothing when it is there already. */
  #head({ columns, rows }: typeof usual): string {
    if (this.#headed) return '';
    this.#headed = true;
    const pending = this.#pending.join('');
    this.#pending = [];
    const seconds = ((this.#session?.startedAt ?? 0) * 1000 + this.#start) / 1e6;
    const header = {
      version: 3,
      term: { cols: columns, rows },
      ...(seconds > 0 && seconds < 2 ** 32 ? { timestamp: Math.floor(seconds) } : {}),
      ...(this.#session ? { title: this.#title(this.#session) } : {}),
    };
    return `${safeJson(header)}\n${pending}`;
  }

  #title({ session, target, principal }: HeaderEvent): string {
    const { unit } = this.#options;
    const which = unit === undefined ? '' : `, unit ${unit}`;
    return visible(`${principal.displayName} on ${target.name} (session ${session}${which})`).slice(0, longestLabel);
  }

  #stream(place: string): Stream {
    const known = this.#streams.get(place);
    if (known) return known;
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined && this.#streams.size >= mostStreams) this.#streams.delete(oldest);
    const stream = { decoder: new StringDecoder('utf8'), filter: new TerminalFilter() };
    this.#streams.set(place, stream);
    return stream;
  }
}

function actionLabel({ unit, effect, actions, text }: RecordingEvent & { type: 'action' }): string {
  const verbs = [...new Set(actions.map(({ verb }) => verb))].join(', ');
  return `${unit}: ${effect} ${verbs}${text.length > 0 ? `: ${text.join('; ')}` : ''}`;
}
