/**
 * Reads sluice.yaml: YAML with positions, the schema, then the checks that need more than one value. Either everything
 * is right, or a list of problems says what is not and where. It starts nothing and asks no network.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { check } from './checks.ts';
import { assemble, type Config } from './config.ts';
import { maxDocumentBytes, readDocument } from './document.ts';
import { type Environment, processEnvironment } from './environment.ts';
import { findingsOf } from './issues.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import { buildSchema, type ConfigDocument } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';
import { fileTrouble, SecretError } from './secrets.ts';

export interface ConfigOptions {
  /** What the gateway ships. */
  readonly connectors: readonly KnownConnector[];
  /** Absent: the process's own. */
  readonly environment?: Environment;
}

/** Throws a ConfigError with every problem found; what is merely a warning is in the result. */
export function loadConfig(path: string, options: ConfigOptions): Config {
  const file = resolve(path);
  const { document, problems } = examine(file, path, options);
  if (!document || problems.some(({ severity }) => severity === 'error')) throw new ConfigError(problems);
  try {
    return assemble(document, { file, warnings: problems }, options.connectors, environmentOf(options));
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new ConfigError([{ severity: 'error', file: path, line: 1, column: 1, path: '', message: error.message }]);
  }
}

/** Every problem and warning, in the order of the file; empty when there is nothing to say. Never throws for bad input. */
export function checkConfig(path: string, options: ConfigOptions): readonly ConfigProblem[] {
  return examine(resolve(path), path, options).problems;
}

function environmentOf(options: ConfigOptions): Environment {
  return options.environment ?? processEnvironment();
}

function examine(
  file: string,
  shown: string,
  options: ConfigOptions,
): { document?: ConfigDocument; problems: readonly ConfigProblem[] } {
  const text = readText(file);
  if (typeof text !== 'string') {
    return { problems: [{ severity: 'error', file: shown, line: 1, column: 1, path: '', message: text.error }] };
  }
  const parsed = readDocument(text, shown);
  if (parsed.problems.length > 0) return { problems: inOrder(parsed.problems) };
  const schema = buildSchema(options.connectors);
  const result = schema.safeParse(parsed.value);
  if (!result.success) {
    const findings = findingsOf(result.error.issues, z.toJSONSchema(schema, { io: 'input' }), parsed.value);
    return { problems: inOrder(findings.map(parsed.place)) };
  }
  const findings = check(result.data, file, environmentOf(options), options.connectors);
  return { document: result.data, problems: inOrder(findings.map(parsed.place)) };
}

function readText(file: string): string | { readonly error: string } {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) return { error: 'the file is a directory' };
    if (stats.size > maxDocumentBytes) return { error: `the file is larger than ${maxDocumentBytes} bytes` };
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof TypeError) return { error: 'the file is not UTF-8 text' };
    return { error: `the file ${fileTrouble(error)}` };
  }
}

function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
