import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lastWords } from './last-words.ts';

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, 'utf8');
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

const row = message('D', 'VPANIC\0Mnot an error\0');
const error = (severity: string) => message('E', `S${severity}\0V${severity}\0C53100\0Mno space left — “pg_wal”\0\0`);
const ready = message('Z', 'I');

it.each<[string, Buffer[], string | undefined]>([
  ['an ordinary answer', [row, message('C', 'SELECT 1\0'), ready], undefined],
  ['an ordinary error', [error('ERROR'), ready], undefined],
  ['a panic', [error('PANIC')], 'no space left — “pg_wal”'],
  ['a fatal error after rows', [row, row, error('FATAL'), ready], 'no space left — “pg_wal”'],
  ['a panic without a message', [message('E', 'VPANIC\0\0')], 'it did not say why'],
  ['nothing', [], undefined],
])('%s', (_what, messages, words) => {
  expect(lastWords(Buffer.concat(messages))).toBe(words);
});

it('ends on any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void lastWords(bytes)));
});
