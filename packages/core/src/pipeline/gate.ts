import type { UpstreamAccess } from '../contract/upstream.ts';
import { CoreError } from '../domain/error.ts';

/**
 * Puts a gate into the upstream socket: until `close` the connector may write to log in; afterwards its writes throw,
 * and only the session writes, with bytes that came out of permits.
 */
export function gate(access: UpstreamAccess): {
  readonly access: UpstreamAccess;
  close(): void;
  write(parts: readonly Uint8Array[]): boolean;
  destroy(): void;
} {
  const { socket } = access;
  let open = true;
  const gated: UpstreamAccess = {
    ...access,
    socket: {
      remote: socket.remote,
      loopback: socket.loopback,
      get secure() {
        return socket.secure;
      },
      onData: (callback) => socket.onData(callback),
      onClose: (callback) => socket.onClose(callback),
      onDrain: (callback) => socket.onDrain(callback),
      write: (bytes) => {
        if (!open)
          throw new CoreError('permit_spent', 'gateway', 'The gateway refused to send something it had not decided.');
        return socket.write(bytes);
      },
      cork: () => socket.cork(),
      uncork: () => socket.uncork(),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.end(),
      destroy: () => socket.destroy(),
      startTls: (options) => socket.startTls(options),
      channelBinding: () => socket.channelBinding(),
    },
  };
  return {
    access: gated,
    close: () => {
      open = false;
    },
    write: (parts) => {
      if (parts.length === 1 && parts[0]) return socket.write(parts[0]);
      let flowing = true;
      socket.cork();
      for (const part of parts) flowing = socket.write(part);
      socket.uncork();
      return flowing;
    },
    destroy: () => socket.destroy(),
  };
}
