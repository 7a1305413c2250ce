import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restored, TerminalFilter } from './terminal-filter.ts';

const esc = '\u001b';

function drawn(...parts: readonly string[]): string {
  const filter = new TerminalFilter();
  return parts.map((part) => filter.push(part)).join('');
}

/** Everything that may come out: text, and sequences that draw. */
const harmless = new RegExp(
  `^(?:[\\u0008-\\u000f]|[ -~]|[\\u00a0-\\u{10ffff}]|${esc}[78DEM]|${esc}[()][B0]|${esc}\\[(?:[0-9;:]{0,96}[ABCDEFGHJKLMPSTX@\`adefgmrsu]|(?:4|\\?(?:7|12|25|47|1047|1048|1049))[hl]))*$`,
  'u',
);

describe('what a terminal is let draw', () => {
  it.each([
    'plain text, Zoë and 東京 😀\r\n\ttab\b',
    `${esc}[1;31mred${esc}[0m${esc}[38;2;1;2;3mtrue colour${esc}[4:3mcurly`,
    `${esc}[2J${esc}[H${esc}[10;20Hx${esc}[K${esc}[3A${esc}[2P${esc}[@`,
    `${esc}[?1049h${esc}[?25l${esc}[4h${esc}[2;20r${esc}7${esc}8${esc}M`,
    `${esc}(0lqqk${esc}(B\u000e\u000f`,
  ])('is %j', (text) => {
    expect(drawn(text)).toBe(text);
  });

  it.each([
    ['a title', `a${esc}]0;owned\u0007b`, 'ab'],
    ['a title, ended by ST', `a${esc}]2;owned${esc}\\b`, 'ab'],
    ['the clipboard', `a${esc}]52;c;cm0gLXJmIC8K\u0007b`, 'ab'],
    ['a link', `${esc}]8;;file:///etc/passwd${esc}\\click${esc}]8;;${esc}\\`, 'click'],
    ['a notification', `${esc}]9;hello\u0007${esc}]777;notify;a;b\u0007x`, 'x'],
    ['a question for the name', `${esc}[c${esc}[>c${esc}[=c${esc}[0cx`, 'x'],
    ['a question for the cursor', `${esc}[6n${esc}[?6n${esc}[5nx`, 'x'],
    ['a question for the title', `${esc}[21t${esc}[8;5000;5000tx`, 'x'],
    ['a question for a setting', `${esc}P$qm${esc}\\${esc}[?2026$px`, 'x'],
    ['the mouse', `${esc}[?1000h${esc}[?1006h${esc}[?1003hx`, 'x'],
    ['pasting in brackets', `${esc}[?2004hx`, 'x'],
    ['keys that write otherwise', `${esc}[>4;2m${esc}[>1u${esc}=${esc}[?1hx`, 'x'],
    ['a character repeated without end', `x${esc}[99999999b`, 'x'],
    ['counts beyond any screen', `${esc}[99999999Ax${esc}[1;99999Hy`, 'xy'],
    ['a download', `${esc}]1337;File=name=eA==;inline=0:AAAA\u0007x`, 'x'],
    ['pixels', `${esc}Pq#0;2;0;0;0~~@@${esc}\\x`, 'x'],
    ['a reset', `${esc}c${esc}[!px`, 'x'],
    [
      'a program for keys',
      `${esc}P1;1|17/ff${esc}\\${esc}^secret${esc}\\${esc}_Ga=T;AAAA${esc}\\${esc}Xstart${esc}\\x`,
      'x',
    ],
    ['a printer', `${esc}[5i cat ${esc}[4i`, ' cat '],
    ['controls of eight bits', `\u009b31m\u0090q\u009d0;x\u009c\u0085x`, '31mq0;xx'],
    ['a bell, and what is not seen', '\u0007\u0000\u0005\u007fx', 'x'],
    ['other sets of characters', `${esc}%G${esc}(A${esc}#8x`, 'G8x'],
  ])('is not %s', (_what, text, left) => {
    expect(drawn(text)).toBe(left);
  });

  it('ends a string where terminals do, and shows nothing of it', () => {
    expect(drawn(`a${esc}]0;x${esc}[31mb`)).toBe(`a${esc}[31mb`);
    expect(drawn(`a${esc}]0;x\u0018b`)).toBe('ab');
    expect(drawn(`a${esc}]0;${'x'.repeat(100_000)}`, 'y'.repeat(100_000), '\u0007b')).toBe('ab');
  });

  it('cuts a control sequence that does not end', () => {
    expect(drawn(`a${esc}[${'1;'.repeat(1000)}Hb`)).not.toContain(esc);
  });

  it('is the same however the text is split', () => {
    const piece = fc.constantFrom(
      esc,
      '[',
      ']',
      '?',
      '1',
      '49',
      ';',
      'h',
      'm',
      'H',
      'b',
      '\u0007',
      '\\',
      '(',
      'B',
      'x',
      '\r\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(drawn(...pieces)).toBe(drawn(pieces.join('')));
        expect(drawn(...pieces)).toMatch(harmless);
      }),
      { numRuns: 3000 },
    );
  });

  it('is harmless, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(drawn(text)).toMatch(harmless);
      }),
      { numRuns: 1000 },
    );
  });

  it('can be undone', () => {
    expect(restored).not.toContain('1049');
    expect(restored.endsWith('\r\n')).toBe(true);
  });
});
