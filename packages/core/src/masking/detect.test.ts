import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detect } from './detect.ts';
import { keyBlock, values } from './testing/detected-values.ts';
import { ordinaryText } from './testing/ordinary-text.ts';

function found(text: string): string[] {
  return detect(text).map(({ start, end, label }) => `${label} ${text.slice(start, end)}`);
}

describe('a value', () => {
  test.each(values.map(({ label, text, value = text }) => [label, text, value]))('%s in %j', (label, text, value) => {
    expect(found(text)).toEqual([`${label} ${value}`]);
  });

  test.each(values.map(({ text }) => text))('is found between others: %j', (text) => {
    const ours = found(text);
    expect(found(`\nx ${text}\nand ${text}\n`)).toEqual([...ours, ...ours]);
  });
});

describe('no value', () => {
  test.each([
    ['an uuid', '550e8400-e29b-41d4-a716-446655440000 12345678-1234-4234-8234-123456789012'],
    ['a time', '2024-01-15T10:20:30.123456789Z 2024-01-15 10:20:30,123 [15/Jan/2024:10:20:30 +0000] 1700000000123'],
    ['a hash', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 d41d8cd98f00b204e9800998ecf8427e'],
    ['a commit', 'commit 9b537a4f1d0c5e8b7a6f4e3d2c1b0a9f8e7d6c5b'],
    ['a version', 'lodash@4.17.21 react@18.3.0-rc.1 v1.2.3-beta.4 node-v20.11.1-linux-x64 foo@1.0.0-alpha.beta'],
    ['a picture for two densities', 'logo@2x.png icon@3x.webp'],
    ['a unit of systemd', 'getty@tty1.service user@1000.service'],
    ['an address without a domain', 'root@localhost jane@web1 admin@db:~$'],
    ['a clone address', 'git@github.com:example/shop.git'],
    ['an address of a network', '192.168.100.200 10.0.0.1:5432 fe80::1ff:fe23:4567:890a 00:1A:2B:3C:4D:5E'],
    ['an address of a page', 'http://localhost:8080/x?y=1 https://example.com:443/@user http://[::1]:8080/'],
    ['a number that fails its check', '4111111111111112 DE89370400440532013001 44051401358 12345678A 529.982.247-26'],
    ['a number of no issuer', '1234567812345670 9999999999999995'],
    ['a fraction', '0.4111111111111111 3.14159265358979'],
    ['an amount', '1,234,567.89 EUR 12345678.90'],
    ['a social security number that is none', '000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000'],
    ['a number of nine digits without a name', '123456789 111222333'],
    ['a phone number without its plus', '0170 1234567 (415) 555-2671 4155552671'],
    ['a sum', 'a + 12345678, 1e+10, +0200, +00:00, x=+5'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn\n-----END CERTIFICATE-----'],
    ['base64 of an object', 'eyJhIjoxfQ== eyJuYW1lIjoiSmFuZSBEb2UifQ'],
    ['a word that begins like a key', 'ASIAN sk-learn hf_hub npm_config_cache xoxb-your-bot-token AKIA ghp_ sk_live_'],
    [
      'a password that is none',
      'password=$PASSWORD password=$\u007bPASS} Password: required "password": null PWD=/home/jane',
    ],
    ['prose about passwords', 'The password must be changed. password for jane: wrong password, try again'],
    ['a comparison of passwords', 'const passwordHash = hash(input); passwordResetAt: now'],
    ['a header without a value', 'Authorization: Bearer\nauthorization required'],
    ['an escape sequence', '\x1b[38;5;123;48;5;234m\x1b[4111;1111H'],
  ])('%s: %j', (_what, text) => {
    expect(found(text)).toEqual([]);
  });

  test('in pages of ordinary text', () => {
    expect(ordinaryText.length).toBeGreaterThan(8_000);
    expect(found(ordinaryText)).toEqual([]);
  });
});

describe('what is put between the letters of a value', () => {
  const between = [
    ['a colour', '\x1b[31m'],
    ['a colour in eight bits', '\u009b31m'],
    ['erasing as grep does', '\x1b[m\x1b[K'],
    ['a title', '\x1b]0;x\x07'],
    ['a link', '\x1b]8;;\x1b\\'],
    ['a character set', '\x1b(B'],
    ['a keypad', '\x1b='],
    ['zero width', '\u200b'],
    ['a soft hyphen', '\u00ad'],
    ['a byte order mark', '\ufeff'],
    ['a direction', '\u202e'],
    ['nothing at all', '\0'],
  ] as const;
  test.each(between)('%s does not hide it', (_what, sequence) => {
    for (const { label, text, value } of values) {
      if (value !== undefined || /[\\\n]/.test(text)) continue;
      const torn = [...text].join(sequence);
      expect(found(torn)).toEqual([`${label} ${torn}`]);
    }
  });

  test('a letter struck twice does not hide it', () => {
    const bold = [...'jane@example.com'].map((letter) => `${letter}\b${letter}`).join('');
    expect(found(bold)).toEqual([`pii.email ${bold}`]);
  });

  test('a value within a title is found', () => {
    expect(found('\x1b]0;jane@example.com\x07$ ')).toEqual(['pii.email jane@example.com']);
    expect(found('\x1b]8;;mailto:jane@example.com\x1b\\mail\x1b]8;;\x1b\\')).toEqual(['pii.email jane@example.com']);
  });
});

describe('a private key', () => {
  test('is one even when its end is missing', () => {
    const key = keyBlock('PRIVATE KEY').split('\n').slice(0, 3).join('\n');
    expect(found(key)).toEqual([`secret.private_key ${key}`]);
  });

  test('ends where something else begins', () => {
    const key = keyBlock('PRIVATE KEY').split('\n').slice(0, 3).join('\n');
    expect(found(`${key}\njane@web1:~$ ls\nnotes.txt`)).toEqual([`secret.private_key ${key}`]);
    expect(found(`-----BEGIN PRIVATE KEY-----\n$ ls`)).toEqual(['secret.private_key -----BEGIN PRIVATE KEY-----']);
  });
});

describe('spans', () => {
  test('come in order, do not overlap and lie in the text, whatever the text is', () => {
    const noise = fc.array(fc.oneof(fc.constantFrom(...values.map(({ text }) => text)), fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(noise, (parts) => {
        const text = parts.join('');
        let last = 0;
        for (const { start, end } of detect(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('cover everything of values that overlap', () => {
    const text = 'password=4111111111111111,jane@example.com';
    expect(found(text)).toEqual(['secret.password 4111111111111111,jane@example.com']);
  });
});

describe('on text that is made to be slow', () => {
  const parts = [
    ...[
      'a',
      '@',
      'a@',
      'a.',
      '@a.',
      '4',
      '4 ',
      '41-',
      '+',
      '+4',
      '+49 ',
      '-',
      '-----BEGIN ',
      'DE89',
      'eyJ',
      '-eyJaaaaaaaaaa',
    ],
    ...[
      'eyJaaaaaaaaaa.',
      'password=',
      'password="',
      'password',
      '://',
      'a://a:',
      'a://a:@',
      'xoxb-',
      'ghp_',
      'sk-',
      '&#',
      '%4',
    ],
    ...[
      '\\u',
      '\x1b',
      '\x1b[',
      '\x1b]',
      '\u200b',
      '\x08',
      'bsn ',
      'ssn=',
      'authorization: bearer ',
      '1 11 ',
      'AAAAAA11',
    ],
    '-----BEGIN PRIVATE KEY-----',
    `${'a'.repeat(64)}@${'b'.repeat(255)}`,
    '-----BEGIN PRIVATE KEY----- a',
  ];

  /** How many characters are looked at, which tells more than time does. */
  function looks(text: string): number {
    const look = String.prototype.charCodeAt;
    let count = 0;
    String.prototype.charCodeAt = function (this: string, at: number) {
      count += 1;
      return look.call(this, at);
    };
    try {
      detect(text);
      return count;
    } finally {
      String.prototype.charCodeAt = look;
    }
  }

  test.each(parts)('%j, twice the text is twice the work at most', (part) => {
    const size = 6_000;
    const once = looks(part.repeat(Math.ceil(size / part.length)));
    const twice = looks(part.repeat(2 * Math.ceil(size / part.length)));
    expect(twice).toBeLessThan(once * 2.3 + 1000);
    expect(once / size).toBeLessThan(700);
  });
});
