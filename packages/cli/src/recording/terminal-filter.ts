// What programs write to a terminal, reduced to what draws: text, colours, moves of the cursor (ECMA-48, and the private
// modes of xterm). A terminal also answers questions as if its user had typed, takes titles and clipboards, changes what
// keys and mouse send, and repeats characters without end. A recording decides none of that on its viewer's terminal.

const esc = '\u001b';

/** Sequences with a final character of these move, erase, insert, delete, scroll or colour. */
const drawing = /^(?:[0-9]{0,4}[;:]){0,16}[0-9]{0,4}[ABCDEFGHJKLMPSTX@`adefgmrsu]$/;

/** Insert mode, and of the private modes: wrapping, the blinking and hidden cursor, the second screen. */
const modes = /^(?:4|\?(?:7|12|25|47|1047|1048|1049))[hl]$/;

/** Longer control sequences are cut off by what follows them. */
const longest = 96;

/**
 * Behind a replay: the first screen, all of it for scrolling, its usual colours and characters, no insert mode, wrapping,
 * and a cursor that is seen.
 */
export const restored = ['[?47l', '7', '[r', '8', '[4l', '[?7h', '[?25h', '[0m', '(B', ')B']
  .map((sequence) => `${esc}${sequence}`)
  .join('')
  .concat('\u000f\r\n');

type State = 'text' | 'escape' | 'control' | 'charset' | 'string' | 'string_escape';

/** Filters one stream of text that comes in parts. Holds back no more than the beginning of one sequence. */
export class TerminalFilter {
  #state: State = 'text';
  #sequence = '';

  push(text: string): string {
    let shown = '';
    for (const sign of text) shown += this.#next(sign);
    return shown;
  }

  #next(sign: string): string {
    // These end whatever is open (ECMA-48 has CAN and SUB for it, terminals take ESC likewise).
    if (sign === esc) {
      this.#state = this.#state === 'string' ? 'string_escape' : 'escape';
      return '';
    }
    if (sign === '\u0018' || sign === '\u001a') {
      this.#state = 'text';
      return '';
    }
    switch (this.#state) {
      case 'text':
        return draws(sign) ? sign : '';
      case 'string':
        if (sign === '\u0007' || sign === '\u009c') this.#state = 'text';
        return '';
      case 'string_escape':
        if (sign === '\\') {
          this.#state = 'text';
          return '';
        }
        return this.#escaped(sign);
      case 'escape':
        return this.#escaped(sign);
      case 'charset':
        this.#state = 'text';
        return sign === 'B' || sign === '0' ? `${esc}${this.#sequence}${sign}` : '';
      case 'control':
        return this.#control(sign);
    }
  }

  #escaped(sign: string): string {
    this.#state = 'text';
    if (sign === '[') {
      this.#state = 'control';
      this.#sequence = '';
    } else if (sign === '(' || sign === ')') {
      this.#state = 'charset';
      this.#sequence = sign;
    } else if (']PX^_k'.includes(sign)) this.#state = 'string';
    else if ('78DEM'.includes(sign)) return `${esc}${sign}`;
    return '';
  }

  #control(sign: string): string {
    // Controls of one character take effect within a sequence; none of them is worth it.
    if (sign < ' ') return '';
    this.#sequence += sign;
    if (sign < '@' && this.#sequence.length < longest) return '';
    this.#state = 'text';
    return drawing.test(this.#sequence) || modes.test(this.#sequence) ? `${esc}[${this.#sequence}` : '';
  }
}

/** Text, white space, and the switch to the second set of characters. */
function draws(sign: string): boolean {
  const code = sign.codePointAt(0) ?? 0;
  if (code >= 0x20) return code < 0x7f || code > 0x9f;
  return code >= 8 && code <= 15;
}
