import { StringDecoder } from 'node:string_decoder';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import type { Shown } from './replay.ts';
import { restored, TerminalFilter } from './terminal-filter.ts';

/**
 * What one unit wrote to its terminal, drawn as it was. For a terminal and for nothing else; what could do more than
 * draw is left out.
 */
export class RawScreen implements Shown {
  readonly #filter = new TerminalFilter();
  readonly #decoder = new StringDecoder('utf8');
  /** The one that was asked for, or else the first that wrote anything. */
  #unit: number | undefined;

  constructor(unit?: number) {
    this.#unit = unit;
  }

  text(item: ReplayItem): string {
    if (item.kind !== 'entry') return '';
    const { event } = item.entry;
    if (event.type !== 'output' && (event.type !== 'terminal' || event.direction !== 'output')) return '';
    this.#unit ??= event.unit;
    return event.unit === this.#unit ? this.#filter.push(this.#decoder.write(event.data)) : '';
  }

  end(): string {
    return this.#filter.push(this.#decoder.end()) + restored;
  }
}
