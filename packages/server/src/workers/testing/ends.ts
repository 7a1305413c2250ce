/**
 * Both ends of a channel within one process, for tests of what is at either side. What one end sends is copied to the other
 * as between processes: later, in order, and not at all once the channel is closed.
 */
import type { Socket } from 'node:net';
import type { ChannelEnd, Message } from '../channel.ts';

export function ends(): { readonly near: ChannelEnd; readonly far: ChannelEnd; close(): void } {
  const taking: ((message: Message, socket: Socket | undefined) => void)[] = [];
  const closing: (() => void)[] = [];
  let open = true;
  const end = (own: number, other: number): ChannelEnd => ({
    send: (message, socket, sent) => {
      if (!open) {
        sent(new Error('closed'));
        return;
      }
      const copy = structuredClone(message);
      setImmediate(() => {
        sent(null);
        taking[other]?.(copy, socket);
      });
    },
    onMessage: (callback) => {
      taking[own] = callback;
    },
    onClosed: (callback) => void closing.push(callback),
  });
  const close = (): void => {
    open = false;
    for (const callback of closing) callback();
  };
  return { near: end(0, 1), far: end(1, 0), close };
}
