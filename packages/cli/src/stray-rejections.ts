import { visible } from './terminal/visible.ts';

/**
 * A promise that nobody waited for and that failed is a defect, but no reason to take a gateway and all of its sessions
 * down, as Node would. It is told, and everything else goes on.
 */
export function reportStrayRejections(stderr: NodeJS.WritableStream): void {
  process.on('unhandledRejection', (reason) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    stderr.write(`error: something failed unattended: ${visible(text)}\n`);
  });
}
