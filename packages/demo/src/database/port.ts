import { createServer } from 'node:net';

/** A TCP port that was free a moment ago on that address. */
export async function freePort(host: string): Promise<number> {
  return probe(host, 0);
}

export function isFree(host: string, port: number): Promise<boolean> {
  return probe(host, port).then(
    () => true,
    () => false,
  );
}

/** Rejects with a sentence for people when the port is taken; `flag` is the option that chooses another one. */
export async function checkPort(port: number, what: string, flag: string): Promise<void> {
  if (port === 0) return;
  try {
    await probe('127.0.0.1', port);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'EADDRINUSE' ? 'is in use by another program' : `can't be listened on (${code})`;
    throw new Error(`Port ${port}, meant for ${what}, ${why}. Choose another with ${flag}; 0 takes any free one.`, {
      cause,
    });
  }
}

async function probe(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error(`No free port on ${host}.`);
  return address.port;
}
