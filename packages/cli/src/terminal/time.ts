/** `12:03:04` today, `2026-01-31 12:03` else; in UTC, so that two people talk about the same moment. */
export function shortTime(iso: string, now: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  const text = new Date(time).toISOString();
  return text.slice(0, 10) === new Date(now).toISOString().slice(0, 10)
    ? `${text.slice(11, 19)}Z`
    : `${text.slice(0, 10)} ${text.slice(11, 16)}Z`;
}

/** `3m`, `2h`: how long ago, or until, roughly. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 90) return `${seconds}s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}m`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}
