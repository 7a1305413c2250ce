import type { Duplex } from 'node:stream';

/**
 * Call it once nothing more is said to the client (RFC 9112 section 9.6): closed at once, the connection would be reset,
 * and the last answer lost with it. Whatever still comes is read, or the client's own end would never be seen, and
 * means nothing. `ms` later at the latest the connection is closed.
 */
export function linger(stream: Duplex, ms: number): void {
  stream.removeAllListeners('data');
  stream.on('data', () => {});
  stream.resume();
  const timer = setTimeout(() => stream.destroy(), ms);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}
