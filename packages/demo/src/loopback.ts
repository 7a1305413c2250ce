import type { Server } from 'node:net';

/** Listens on a free port of 127.0.0.1, so that nothing but this machine gets there; resolves with the port. */
export function listenOnLoopback(
  server: Pick<Server, 'once' | 'off' | 'listen' | 'address'>,
  port = 0,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no port.'));
      else resolve(address.port);
    });
  });
}
