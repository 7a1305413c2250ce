/** What goes on right now, on one line that is written over; where nobody looks, a line each. */
export interface Progress {
  at(text: string): void;
  /** Makes room for something that stays. */
  clear(): void;
}

export function progressOn(stream: NodeJS.WriteStream): Progress {
  const started = Date.now();
  return {
    at: (text) => {
      const line = `${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${text}`;
      stream.write(stream.isTTY ? `\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}` : `${line}\n`);
    },
    clear: () => {
      if (stream.isTTY) stream.write('\r\x1b[2K');
    },
  };
}
