/** What the command line takes from its environment; the only place that looks at it. */
export interface Env {
  readonly token: string | undefined;
  readonly api: string | undefined;
  readonly noColor: boolean;
}

export function readEnv(): Env {
  const { SLUICE_TOKEN, SLUICE_API, NO_COLOR, TERM } = process.env;
  return {
    token: SLUICE_TOKEN || undefined,
    api: SLUICE_API || undefined,
    // https://no-color.org: any value that is not empty.
    noColor: (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb',
  };
}
