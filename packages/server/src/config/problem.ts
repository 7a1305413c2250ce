import { SluiceError } from '@sluice/core/domain/error.ts';

/** One thing wrong with a configuration, for the person who wrote it. Never holds a value that may be secret. */
export interface ConfigProblem {
  /** An error keeps the gateway from starting; a warning is said and then tolerated. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
  /** Where in the document, like `targets[0].address`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  /** What was probably meant. */
  readonly nearest?: string;
}

export type ConfigErrorCode = 'invalid_config';

/** The configuration can't be used; `problems` says why, one by one. */
export class ConfigError extends SluiceError<ConfigErrorCode> {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('invalid_config', 'gateway', 'the gateway is not configured correctly', {
      detail: problems.map(formatProblem).join('\n'),
    });
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** `file:line:column: severity: path: message (did you mean …?)`, on one line. */
export function formatProblem(problem: ConfigProblem): string {
  const where = `${problem.file}:${problem.line}:${problem.column}`;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const meant = problem.nearest === undefined ? '' : ` (did you mean ${problem.nearest}?)`;
  return `${where}: ${problem.severity}: ${path}${problem.message}${meant}`;
}

export type DocumentPath = readonly (string | number)[];

/** What a check finds, before the place in the file is known. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly path: DocumentPath;
  /** Whether the key is at fault rather than its value. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly nearest?: string;
}

export function formatPath(path: DocumentPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
