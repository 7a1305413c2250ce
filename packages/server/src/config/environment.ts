/** What the process was started with. The only place of the server that looks at `process.env`. */
export interface Environment {
  /** For `env:` references. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function processEnvironment(): Environment {
  return { variables: process.env };
}

/** Where programs are looked for. */
export function searchPath(environment: Environment): string {
  return environment.variables['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `SLUICE_LOG_LEVEL`, or `info` when it is absent or no level. */
export function logLevel(environment: Environment): LogLevel {
  const wanted = environment.variables['SLUICE_LOG_LEVEL']?.toLowerCase();
  return logLevels.find((level) => level === wanted) ?? 'info';
}
