import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellMasker } from '../contract/labels.ts';
import { detect } from './detect.ts';
import { isMasked } from './sentinel.ts';
import { StreamMasker } from './stream-masker.ts';
import { values } from './testing/detected-values.ts';
import { createTextMasker } from './text-masker.ts';

const utf8 = new TextEncoder();
/** Tells values apart, so that a test sees if two ways of reading a text saw different values. */
const masker: CellMasker = {
  mask: ([label = ''], _shape, value) => `<${label} ${value.length}>`.replaceAll('.', '_'),
  hide: () => null,
};
const hidden = () => true;

function stream(...calls: readonly (string | Uint8Array | 'idle')[]): string {
  const masking = new StreamMasker({ masker, hidden });
  const parts = calls.map((call) =>
    call === 'idle' ? masking.idle() : masking.push(typeof call === 'string' ? utf8.encode(call) : call),
  );
  return Buffer.concat([...parts, masking.end()]).toString();
}

function whole(text: string): string {
  return createTextMasker({ masker, hidden }).mask(text).text;
}

/** Texts made of values, of what surrounds them, and of what tears them. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...values.map(({ text }) => text)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(' ', '\n', ', ', ': ', '=', '"', '.', '-', '@', '://', '\\n', '%40', '&#', 'é', '😀'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\x1b[31m',
      '\x1b[0m',
      '\x1b]0;title\x07',
      '\x1b',
      '\u200b',
      '\x08',
      '\x1b[5;5H',
      '\u009b',
      '%',
      '\\',
    ),
  },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z0-9]{1,12}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('password=', 'Password: ', '-----BEGIN ', 'eyJ', 'ghp_', 'bsn ', '+49', '4111 1111 '),
  },
);
const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.map((place, index) => bytes.subarray(index === 0 ? 0 : sorted[index - 1], place));
}

describe('a masked stream', () => {
  test('is the same however it is split', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(2000), { maxLength: 12 }), (written, places) => {
        expect(stream(...cut(utf8.encode(written), places))).toBe(whole(written));
      }),
      {
        numRuns: 3000,
        examples: [[`jane@example.comghp_${'a'.repeat(64)}@example.com`, [27]]],
      },
    );
  });

  test('is the same byte by byte', () => {
    fc.assert(
      fc.property(text, (written) => {
        const bytes = utf8.encode(written);
        expect(stream(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toBe(whole(written));
      }),
      { numRuns: 500 },
    );
  });

  test('holds the bytes it had, text or not, where nothing is masked', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(200), { maxLength: 5 }),
        fc.boolean(),
        (bytes, places, pauses) => {
          fc.pre(detect(Buffer.from(bytes).toString('latin1')).length === 0);
          const masking = new StreamMasker({ masker, hidden });
          const parts = cut(bytes, places);
          const out = [...parts.flatMap((p) => [masking.push(p), ...(pauses ? [masking.idle()] : [])]), masking.end()];
          fc.pre(!masking.masked);
          expect(Buffer.concat(out)).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('shows nothing of a value that is torn by bytes that are no text', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from(' jane@example.com '), Buffer.from([0x80])]);
    expect(Buffer.from(stream(bytes))).toEqual(Buffer.from(Buffer.from(stream(bytes)).toString()));
    expect(stream(bytes)).not.toContain('jane');
  });

  test('shows values whose label may be seen, and tells of them', () => {
    const masking = new StreamMasker({ masker, hidden: (label) => label !== 'pii.email' });
    masking.push(utf8.encode('jane@example.com 4111111111111111\n'));
    masking.end();
    expect(masking.labels).toEqual(['pci.card', 'pii.email']);
  });
});

describe('a terminal', () => {
  /** What is to be seen after the text has come and nothing else for a moment. */
  function seen(...calls: readonly string[]): string {
    const masking = new StreamMasker({ masker, hidden });
    return Buffer.concat(
      calls.map((call) => (call === 'idle' ? masking.idle() : masking.push(utf8.encode(call)))),
    ).toString();
  }

  test.each([
    'jane@web1:~$ ',
    '[root@db ~]# ',
    'mysql> ',
    'Password: ',
    '[sudo] password for jane: ',
    'Are you sure you want to continue connecting (yes/no)? ',
    'login: ',
    '\x1b[32mjane@web1\x1b[0m:\x1b[34m~\x1b[0m$ ',
  ])('shows the prompt %j', (prompt) => {
    expect(seen(prompt, 'idle')).toBe(prompt);
  });

  test.each(['$ ', 'jane@web1:~$ ', '# '])('shows the prompt %j without waiting', (prompt) => {
    expect(seen(prompt)).toBe(prompt);
  });

  test('shows what is typed, letter by letter', () => {
    const typed = [...'ls -la /home/jane && cat notes'].flatMap((letter) => [letter, 'idle']);
    expect(seen(...typed)).toBe('ls -la /home/jane && cat notes');
  });

  test.each([
    ['jane@exam', 'ple.com\n'],
    ['4111 1111', ' 1111 1111\n'],
    ['ghp_16C7e42F292c', '6912E7710c838347Ae178B4a\n'],
    ['password=hun', 'ter2\n'],
    ['postgres://app:hunt', 'er2@db\n'],
    ['-----BEGIN RSA PRIV', 'ATE KEY-----\n'],
    ['DE89 3704 0044', ' 0532 0130 00\n'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJz', 'dWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3\n'],
  ])('shows nothing more of %j at a pause', (first, second) => {
    expect(seen(first, 'idle').length).toBeLessThan(first.length);
    expect(seen(first, 'idle', second, 'idle')).toBe(seen(first + second));
  });

  test('shows at a pause what may be a word, and hides the rest when it was not', () => {
    expect(stream('mail jane', 'idle', '.doe@example.com now')).toBe('mail jane#***# now');
  });

  test('lets out half a character, and the other half when it comes', () => {
    const masking = new StreamMasker({ masker, hidden });
    const [first, second] = [Buffer.from([0x6f, 0x6b, 0xe2, 0x82]), Buffer.from([0xac, 0x0a])];
    expect(Buffer.from(masking.push(first)).length).toBeLessThan(4);
    expect(Buffer.concat([masking.idle(), masking.push(second), masking.end()]).subarray(-4)).toEqual(
      Buffer.from([0xe2, 0x82, 0xac, 0x0a]),
    );
    // What talks in bytes of its own and waits for an answer gets all of it.
    const other = new StreamMasker({ masker, hidden });
    const spoken = Buffer.concat([other.push(Buffer.from([0x00, 0xff, 0xc3])), other.idle()]);
    expect(spoken).toEqual(Buffer.from([0x00, 0xff, 0xc3]));
  });

  test.each([
    ['before a letter that has two bytes', 'mail jan', 'é.doe@example.com now', 1],
    ['in a space between digits', '4111 1111', '\u00a01111 1111\n', 1],
    ['in a sign of three bytes', 'mail jane.doe', '\uff20example.com now', 1],
    ['in a sign of three bytes, later', 'mail jane.doe', '\uff20example.com now', 2],
  ])('shows no more of a value when a pause tears a character: %s', (_what, before, behind, bytes) => {
    const all = utf8.encode(before + behind);
    const at = utf8.encode(before).length;
    const torn = stream(all.subarray(0, at + bytes), 'idle', all.subarray(at + bytes));
    const whole = stream(all.subarray(0, at), 'idle', all.subarray(at));
    expect(Buffer.from(torn).toString('latin1').includes('example')).toBe(whole.includes('example'));
    expect(torn.match(/1111/g)?.length ?? 0).toBeLessThanOrEqual(whole.match(/1111/g)?.length ?? 0);
  });

  test('shows no part of a key, and what comes behind a part of one', () => {
    const line = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n';
    const out = seen('-----BEGIN OPENSSH PRIVATE KEY-----\n', 'idle', line, 'idle', line, 'jane@web1:~$ ', 'idle');
    expect(out).not.toContain('b3Bl');
    expect(out).toContain('jane@web1:~$ ');
  });
});

describe('what is held', () => {
  test('has a bound: a key of a megabyte is hidden as it comes', () => {
    const masking = new StreamMasker({ masker, hidden });
    let out = '';
    out += Buffer.from(masking.push(utf8.encode('-----BEGIN PRIVATE KEY-----\n')));
    for (let i = 0; i < 200; i++) out += Buffer.from(masking.push(utf8.encode(`${'A'.repeat(64)}\n`.repeat(80))));
    out += Buffer.from(masking.push(utf8.encode('-----END PRIVATE KEY-----\nover\n')));
    expect(out).toMatch(/^<[^>]*>\nover\n$/);
  });

  test('has a bound: what would take too much to decide is masked, not shown', () => {
    const masking = new StreamMasker({ masker, hidden });
    const out = [...'eyJhbGciOiJIUzI1NiIsInR5cCI6'].map((letter) =>
      masking.push(utf8.encode(letter + '\u200b'.repeat(8000))),
    );
    const seen = Buffer.concat(out).toString();
    expect(seen).toBe('');
    const rest = [...'IkpXVCJ9'].map((letter) => masking.push(utf8.encode(letter + '\u200b'.repeat(8000))));
    expect(Buffer.concat(rest).toString()).toMatch(/^#\*\*\*#/);
  });

  test.each([
    ['a title', '\x1b]0;', '\x07'],
    ['parameters', '\x1b[', 'm'],
  ])('does not grow with %s that does not end, which is not shown', (_what, open, close) => {
    const long = '1;'.repeat(5000);
    expect(stream(`a${open}${long}`, long, `${long}${close}b`)).toBe('ab');
    expect(whole(`a${open}${long}${close}b`)).toBe('ab');
  });
});

test('masks tell where they stand for values', () => {
  expect(isMasked(stream('x jane', 'idle', '@example.com'))).toBe(true);
});
