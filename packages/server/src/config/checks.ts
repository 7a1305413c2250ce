/**
 * What the shape of single values can't show: files and references behind them, sections that contradict each other,
 * and settings that are allowed but should be known. Each check gets a document that passed the schema.
 */
import { dirname } from 'node:path';
import { checkFiles } from './check-files.ts';
import { checkIdentity } from './check-identity.ts';
import { checkMasking } from './check-masking.ts';
import { checkTargets } from './check-targets.ts';
import type { Environment } from './environment.ts';
import { formatHostPort, type HostPort, isLoopbackHost } from './host-port.ts';
import type { Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';

export function check(
  document: ConfigDocument,
  file: string,
  environment: Environment,
  connectors: readonly KnownConnector[],
): Finding[] {
  const dir = dirname(file);
  return [
    ...checkListeners(document),
    ...checkFiles(document, dir, environment),
    ...checkIdentity(document),
    ...checkTargets(document, dir, environment, connectors),
    ...checkMasking(document, connectors),
    ...checkDurations(document),
  ];
}

function checkListeners(document: ConfigDocument): Finding[] {
  const found: Finding[] = [];
  const taken = new Map<string, string>();
  const listeners = Object.entries(document.listen as Readonly<Record<string, HostPort | undefined>>);
  for (const [key, at] of listeners) {
    if (!at) continue;
    const path = ['listen', key];
    const text = formatHostPort(at);
    const other = taken.get(text);
    if (other !== undefined && at.port !== 0) {
      found.push({ severity: 'error', path, message: `is the same as listen.${other}` });
    }
    taken.set(text, key);
    if (key === 'metrics') {
      if (at.host === '0.0.0.0' || at.host === '::') {
        const message = 'metrics are readable without a login on every interface; name an internal one';
        found.push({ severity: 'warning', path, message });
      }
    } else if (!document.tls && !isLoopbackHost(at.host)) {
      const message =
        'is reachable from other machines, but there is no tls section: secrets can’t be sent to it safely';
      found.push({ severity: 'warning', path, message });
    }
  }
  return found;
}

function checkDurations({ approvals, access_credentials: credentials }: ConfigDocument): Finding[] {
  const found: Finding[] = [];
  if (approvals.park > approvals.timeout) {
    found.push({
      severity: 'error',
      path: ['approvals', 'park'],
      message: 'must not be longer than approvals.timeout',
    });
  }
  if (credentials.default_ttl > credentials.max_ttl) {
    const message = 'must not be longer than access_credentials.max_ttl';
    found.push({ severity: 'error', path: ['access_credentials', 'default_ttl'], message });
  }
  return found;
}
