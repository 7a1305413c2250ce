/** The contract suite's words for HTTP: requests to an API, by HTTP/1.1 with a socket of its own. */
import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import type { Adapter, Ask, Oddity } from './adapter.ts';
import { forms, proofHere } from './http-answer.ts';
import { startGateway, startTarget } from './http-target.ts';
import { openHttp1 } from './http1-session.ts';

const post = (path: string, body: unknown): Ask => ({ text: `POST ${path}\n\n${JSON.stringify(body)}` });
const customers = (way: string, form: string): { readonly way: string; readonly ask: Ask } => ({
  way,
  ask: { text: `GET /customers/${form}` },
});

function request(line: string, fields: readonly string[] = [], body = ''): Buffer {
  const head = [
    line.includes(' HTTP/') ? line : `${line} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${proofHere}`,
    ...fields,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

function oddity(after: Oddity['after'], name: string, line: string, fields?: readonly string[], body?: string): Oddity {
  return { name, after, bytes: request(line, fields, body) };
}

const json = 'Content-Type: application/json';

export const http1Adapter: Adapter = {
  connector: 'http',
  over: 'HTTP/1.1',
  forms,
  verbs: { read: 'http:read', forbidden: 'http:delete', held: 'http:write' },
  // A session opens with its first exchange; this one is of a verb that the suite says nothing about.
  policies: '@id("contract-probes") permit (principal, action == Action::"http:graphql.query", resource);',
  lacks: {
    cancelling: 'what is given up takes the connection with it, and the session',
    notices: 'a request has one answer, and nothing is told before it',
    attachment: 'connections to a target come and go, and sessions do without them',
  },
  largeBytes: 108_000_000,
  asks: {
    read: (tag) => ({ text: `GET /echo?text=${tag}` }),
    forbidden: (tag) => ({ text: `DELETE /things/${tag}` }),
    held: (tag) => post('/effects', { tag }),
    failing: (tag) => ({ text: `GET /missing/${tag}` }),
    slow: (tag) => ({ text: `GET /slow/${tag}` }),
    large: (tag) => ({ text: `GET /large/${tag}` }),
    items: (count) => ({ text: `GET /items?count=${count}` }),
    oversized: (tag) => post(`/echo/${tag}`, { text: 'x'.repeat(2 * 1024 * 1024) }),
    labelled: [
      customers('in a document', 'json'),
      customers('deep in a document', 'deep'),
      customers('in a document that is text in a document', 'nested'),
      customers('in a document that is packed', 'packed'),
      customers('in lines', 'lines'),
      customers('in events', 'events'),
      customers('in a text', 'text'),
      customers('in a page', 'page'),
      customers('in a header field', 'header'),
      customers('in a failure', 'failure'),
      { way: 'in an answer to GraphQL', ask: post('/graphql', { query: '{ customer { id email } }' }) },
    ],
    prying: [
      {
        way: 'under another name',
        ask: (tag) => post('/graphql', { query: `query ${tag} { customer { mail: email } }` }),
      },
    ],
  },
  asExecuted: (texts) => texts[0] ?? '',
  oddities: [
    { name: 'no HTTP at all', bytes: Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]), after: 'ends' },
    oddity('ends', 'a version that is not served', 'GET /t/api/echo?text=x HTTP/1.2'),
    oddity('ends', 'a request by a proxy’s words', 'GET http://api/echo?text=x'),
    oddity('ends', 'a tunnel', 'CONNECT api:80'),
    oddity('ends', 'a host that comes twice', 'GET /t/api/echo?text=x', ['Host: api']),
    oddity('ends', 'two proofs', 'GET /t/api/echo?text=x', ['Authorization: Bearer x']),
    oddity('ends', 'two lengths', 'POST /t/api/effects', [json, 'Content-Length: 2', 'Content-Length: 3'], '{}'),
    oddity(
      'ends',
      'a length and chunks',
      'POST /t/api/effects',
      [json, 'Content-Length: 2', 'Transfer-Encoding: chunked'],
      '0\r\n\r\n',
    ),
    oddity(
      'ends',
      'a coding that nobody knows',
      'POST /t/api/effects',
      [json, 'Transfer-Encoding: gzip, chunked'],
      '0\r\n\r\n',
    ),
    oddity(
      'ends',
      'a chunk without a size',
      'POST /t/api/effects',
      [json, 'Transfer-Encoding: chunked'],
      'zz\r\n{}\r\n0\r\n\r\n',
    ),
    oddity('ends', 'a field that goes on in the next line', 'GET /t/api/echo?text=x', ['X: y\r\n z']),
    oddity('ends', 'a field with a space before its colon', 'GET /t/api/echo?text=x', ['Content-Length : 0']),
    oddity('ends', 'an expectation that nobody knows', 'GET /t/api/echo?text=x', ['Expect: the-unexpected']),
    oddity('ends', 'bare line feeds', 'GET /t/api/echo?text=x HTTP/1.1\nX: y'),
    oddity('goes on', 'a method that nobody knows', 'PROPFIND /t/api/echo'),
    oddity('goes on', 'a trace', 'TRACE /t/api/echo'),
    oddity('goes on', 'a path that climbs', 'GET /t/api/echo/../items?count=1'),
    oddity('goes on', 'a path that is encoded twice', 'GET /t/api/echo/%252e%252e/items'),
    oddity('goes on', 'a parameter twice', 'GET /t/api/echo?text=x&text=y'),
    oddity('goes on', 'a body of a GET', 'GET /t/api/echo?text=x', [json, 'Content-Length: 2'], '{}'),
    oddity('goes on', 'a member twice', 'POST /t/api/effects', [json, 'Content-Length: 13'], '{"a":1,"a":2}'),
    oddity('goes on', 'no JSON', 'POST /t/api/effects', [json, 'Content-Length: 6'], '{"tag"'),
    oddity('goes on', 'text that is no UTF-8', 'POST /t/api/effects', [json, 'Content-Length: 5'], '{"\xff"}'),
  ],
  announcements: [
    {
      name: 'a body',
      when: 'before login',
      bytes: request('POST /t/api/effects', [json, 'Content-Length: 999999999999'], '{'),
    },
    {
      name: 'a body',
      when: 'in session',
      bytes: request('POST /t/api/effects', [json, 'Content-Length: 999999999999'], '{'),
    },
  ],
  startTarget,
  startGateway,
  open: openHttp1,
  knock: async (at, bytes) => {
    const socket = connect({ host: at.host, port: at.port });
    socket.on('error', () => {});
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.write(bytes);
    // A reset closes it, too, for which `once` would reject.
    await new Promise((resolve) => socket.once('close', resolve));
    return Buffer.concat(parts);
  },
};
