/** The contract suite's words for HTTP by HTTP/2 (RFC 9113): what is asked is the same, what is odd is not. */
import { Buffer } from 'node:buffer';
import type { Adapter, Oddity } from './adapter.ts';
import { http1Adapter } from './http.ts';
import { openHttp2, rawRequest } from './http2-session.ts';

const read = { ':method': 'GET', ':path': '/t/api/echo?text=x' };
const write = { ':method': 'POST', ':path': '/t/api/effects', 'content-type': 'application/json' };

/** RFC 9113 section 4.1. */
function frame(
  length: number,
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function goesOn(name: string, headers: Readonly<Record<string, string>>, body?: string): Oddity {
  return { name, after: 'goes on', bytes: rawRequest(headers, body) };
}

export const http2Adapter: Adapter = {
  ...http1Adapter,
  over: 'HTTP/2',
  lacks: {
    pipelining: 'each exchange has a stream of its own, and is answered there',
    notices: 'a request has one answer, and nothing is told before it',
    attachment: 'connections to a target come and go, and sessions do without them',
  },
  oddities: [
    { name: 'a frame that is larger than any may be', bytes: frame(0xffffff, 0, 0, 1), after: 'ends' },
    { name: 'data of no stream', bytes: frame(2, 0, 0, 0, Buffer.from('{}')), after: 'ends' },
    { name: 'a head that can’t be unpacked', bytes: frame(4, 1, 5, 99, Buffer.alloc(4, 0xff)), after: 'ends' },
    {
      name: 'a setting that nobody may have',
      bytes: frame(6, 4, 0, 0, Buffer.from([0, 2, 0, 0, 0, 9])),
      after: 'ends',
    },
    { name: 'a promise by a client', bytes: frame(4, 5, 4, 1, Buffer.alloc(4)), after: 'ends' },
    goesOn('a host that is named twice, and not the same', { ...read, host: 'api' }),
    goesOn('a method that nobody knows', { ...read, ':method': 'PROPFIND' }),
    goesOn('a path that climbs', { ...read, ':path': '/t/api/echo/../items?count=1' }),
    goesOn('a parameter twice', { ...read, ':path': '/t/api/echo?text=x&text=y' }),
    goesOn('a body of a GET', read, '{}'),
    goesOn('a member twice', write, '{"a":1,"a":2}'),
    goesOn('no JSON', write, '{"tag"'),
  ],
  announcements: [
    { name: 'a frame', when: 'before login', bytes: Buffer.concat([preface, frame(0xffffff, 4, 0, 0)]) },
    { name: 'a frame', when: 'in session', bytes: frame(0xffffff, 0, 0, 1) },
    {
      name: 'a body',
      when: 'in session',
      bytes: rawRequest({ ...write, 'content-length': '999999999999' }, '{', false),
    },
  ],
  open: openHttp2,
};
