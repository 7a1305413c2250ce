import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStartupParameters } from '../login/startup-parameters.ts';
import { cancelRequest, sslRequest, startupMessage } from './messages.ts';
import { readStartup } from './startup.ts';

describe('the packet before any message', () => {
  it('is read from any split, and what is behind it is left alone', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.stringMatching(/^[ -~]{0,20}$/)),
        fc.nat(),
        (record, cut) => {
          const parameters = new Map(Object.entries(record));
          const packet = startupMessage(parameters);
          const at = cut % packet.length;
          expect(readStartup(packet.subarray(0, at))).toBeUndefined();
          const read = readStartup(Buffer.concat([packet, Buffer.from('tail')]));
          expect(read).toEqual({ packet: { kind: 'startup', minor: 0, parameters }, length: packet.length });
        },
      ),
    );
  });

  it('may be a request for encryption or to cancel', () => {
    expect(readStartup(sslRequest())?.packet).toEqual({ kind: 'ssl' });
    const secret = Buffer.alloc(32, 7);
    expect(readStartup(cancelRequest(-5, secret))?.packet).toEqual({ kind: 'cancel', pid: -5, secret });
  });

  it.each([
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a length below its own', Buffer.from([0, 0, 0, 7])],
    ['more than a startup packet may have', Buffer.from([0, 0, 0x27, 0x11])],
    ['a parameter twice', startupWith('user\0a\0user\0b\0\0')],
    ['no end', startupWith('user\0a\0')],
    ['bytes behind the end', startupWith('user\0a\0\0x')],
    ['a cancel key of 257 bytes', cancelRequest(1, Buffer.alloc(257))],
  ])('is refused with %s', (_, bytes) => {
    expect(() => readStartup(bytes)).toThrow(RangeError);
  });

  it('never fails in another way on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readStartup(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('startup parameters', () => {
  const read = (parameters: Record<string, string>) =>
    readStartupParameters(new Map(Object.entries({ user: 'u', ...parameters })));

  it.each([
    [{ client_encoding: 'SJIS' }],
    [{ client_encoding: 'LATIN1' }],
    [{ replication: 'database' }],
    [{ replication: 'true' }],
    [{ standard_conforming_strings: 'off' }],
    [{ search_path: 'evil' }],
    [{ role: 'postgres' }],
    [{ session_replication_role: 'replica' }],
    [{ options: '-c search_path=evil' }],
    [{ options: '--search_path=evil' }],
    [{ options: '-csearch_path=evil' }],
    [{ options: '-c statement_timeout=1 -c role=postgres' }],
    [{ options: '-c client_encoding=SJIS' }],
    [{ options: '-c Client_Encoding=SJIS' }],
    [{ options: '-c application_name=x\\ -c\\ y -c row_security=off' }],
    [{ options: '-d 5' }],
    [{ options: 'search_path=evil' }],
    [{ default_transaction_read_only: 'off' }],
    [{ user: '' }],
  ])('refuses %j', (parameters: Record<string, string>) => {
    expect(read(parameters).ok).toBe(false);
  });

  it('passes on what only shapes the output', () => {
    const result = read({
      database: 'shop',
      application_name: 'psql',
      client_encoding: "'utf-8'",
      TimeZone: 'UTC',
      options: '-c statement_timeout=5s --lock-timeout=1s',
      replication: 'false',
      '_pq_.x': '1',
    });
    expect(result).toEqual({
      ok: true,
      user: 'u',
      database: 'shop',
      application: 'psql',
      settings: new Map([
        ['application_name', 'psql'],
        ['timezone', 'UTC'],
        ['statement_timeout', '5s'],
        ['lock_timeout', '1s'],
      ]),
      unknownOptions: ['_pq_.x'],
    });
  });
});

function startupWith(body: string): Buffer {
  const bytes = Buffer.from(`\0\0\0\0\0\x03\0\0${body}`, 'latin1');
  bytes.writeInt32BE(bytes.length, 0);
  return bytes;
}
