const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How a length of time is written in requests and on the command line: `90s`, `15m`, `8h`, `1d`. */
export const durationPattern = /^([1-9][0-9]{0,5})([smhd])$/;

/** Milliseconds, or undefined for a text that is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * units[match[2] as keyof typeof units];
}
