/**
 * HTTP as a server over a link that somebody else accepted: HTTP/1.1 and HTTP/2, in the clear or over TLS, to whole
 * exchanges and back. Framing is Node's, in its strict mode, behind checks of our own; it listens nowhere, knows no
 * target, authenticates nobody, and passes nothing on: what a connector makes of an exchange is the connector's.
 */
import type { ClientLink } from '@sluice/core/contract/link.ts';
import { serveHttp1 } from './serve-http1.ts';
import { serveHttp2 } from './serve-http2.ts';
import { type ServeLimits, serveLimits } from './serve-limits.ts';
import type { ServedConnection, ServeOptions } from './served-connection.ts';
import { WatchedDuplex } from './watched-duplex.ts';

const handshake = 0x16;
/** RFC 9113 section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Serves one connection until it is closed. Never rejects for anything that the client sends. */
export async function serveHttp(link: ClientLink, options: ServeOptions): Promise<void> {
  const limits = serveLimits(options.limits, options.bodyBytes);
  let first = await firstBytes(link, limits);
  if (first?.[0] === handshake) {
    if (!link.canTls) {
      options.onRefused({ status: 400, reason: 'TLS, which this gateway has no certificate for.', text: '' });
      link.destroy();
      return;
    }
    try {
      await link.startTls({ alpn: ['h2', 'http/1.1'], alpnOptional: true, unread: first });
    } catch {
      options.onRefused({ status: 400, reason: 'The TLS handshake failed.', text: '' });
      link.destroy();
      return;
    }
    first = await firstBytes(link, limits);
  }
  while (first && first.length < preface.length && preface.subarray(0, first.length).equals(first)) {
    const begun = first;
    const more = await firstBytes(link, limits);
    first = more && Buffer.concat([begun, more]);
  }
  // Whoever connects and says nothing asks for nothing.
  if (!first) {
    link.destroy();
    return;
  }
  const connection: ServedConnection = {
    origin: { remote: link.remote, loopback: link.loopback, secure: link.secure },
    stream: new WatchedDuplex(link, first),
    limits,
    options,
  };
  if (first.subarray(0, preface.length).equals(preface)) await serveHttp2(connection);
  else await serveHttp1(connection);
}

/** Waits for bytes and leaves the link paused; undefined when none come in time, or the link closes. */
function firstBytes(link: ClientLink, limits: ServeLimits): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const got: Uint8Array[] = [];
    const settle = (): void => {
      clearTimeout(timer);
      link.pause();
      resolve(got.length > 0 ? Buffer.concat(got) : undefined);
    };
    const timer = setTimeout(settle, limits.headTime);
    link.onClose(settle);
    link.onData((chunk) => {
      got.push(chunk);
      settle();
    });
    link.resume();
  });
}
