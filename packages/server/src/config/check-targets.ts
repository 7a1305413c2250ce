import { resolve } from 'node:path';
import type { WrittenTarget } from '@sluice/core/contract/upstream.ts';
import { readCertificate } from './check-files.ts';
import { absolute, reachOf, secretsOf, settingsOf, type TargetDocument, tlsOf } from './config.ts';
import type { Environment } from './environment.ts';
import { isLoopbackHost } from './host-port.ts';
import type { DocumentPath, Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';
import { readSecretNow, SecretError } from './secrets.ts';

export function checkTargets(
  document: ConfigDocument,
  dir: string,
  environment: Environment,
  connectors: readonly KnownConnector[],
): Finding[] {
  if (document.targets.length === 0) {
    return [{ severity: 'warning', path: ['targets'], message: 'there is no target: nothing can be reached' }];
  }
  const found: Finding[] = [];
  const names = new Map<string, string>();
  const listeners = document.listen as Readonly<Record<string, unknown>>;
  for (const [index, target] of document.targets.entries()) {
    const path = ['targets', index];
    // Names that differ only in case would be one name to people, and to some protocols.
    const twin = names.get(target.name.toLowerCase());
    if (twin !== undefined) {
      const message = twin === target.name ? 'another target has this name' : `differs from ${twin} only in case`;
      found.push({ severity: 'error', path: [...path, 'name'], message });
    }
    names.set(target.name.toLowerCase(), target.name);
    if (listeners[target.connector] === undefined) {
      const message = `there is no listen.${target.connector}: clients of its protocol can’t reach this target`;
      found.push({ severity: 'warning', path: [...path, 'connector'], message });
    }
    const { address, command } = reachOf(target);
    if ((address === undefined) === (command === undefined)) {
      const message = address ? 'has an address and a command: only one can be' : 'needs an address or a command';
      found.push({ severity: 'error', path, message });
      continue;
    }
    found.push(...checkTargetTls(target, path, dir), ...checkCredential(target, path, dir, environment));
  }
  return [...found, ...checkTogether(document, connectors)];
}

/** What only a connector knows about its targets. */
function checkTogether({ targets }: ConfigDocument, connectors: readonly KnownConnector[]): Finding[] {
  return connectors.flatMap((connector) => {
    const own = targets.flatMap((target, index) => (target.connector === connector.id ? [{ target, index }] : []));
    const written = own.map(
      ({ target }): WrittenTarget => ({
        name: target.name,
        reachedBy: reachOf(target).command ? 'command' : 'address',
        settings: settingsOf(target, connectors),
        secrets: Object.keys(secretsOf(target.credential)),
      }),
    );
    const problems = connector.targets.check?.(written) ?? [];
    return problems.map(({ target: name, key, message }): Finding => {
      const at = own.find(({ target }) => target.name === name);
      const isSecret = connector.targets.credential.secrets.some((secret) => secret.key === key);
      const place = key === undefined ? [] : isSecret ? ['credential', key] : [key];
      return { severity: 'error', path: at ? ['targets', at.index, ...place] : ['targets'], message };
    });
  });
}

function checkTargetTls(target: TargetDocument, path: DocumentPath, dir: string): Finding[] {
  const written = tlsOf(target);
  if (!written) return [];
  const { mode, ca } = written;
  if (ca !== undefined) {
    const certificate = readCertificate(resolve(dir, ca));
    if (typeof certificate === 'string')
      return [{ severity: 'error', path: [...path, 'tls', 'ca'], message: certificate }];
    if (mode === 'disable' || mode === 'require') {
      return [
        {
          severity: 'error',
          path: [...path, 'tls', 'mode'],
          message: `${mode} verifies nothing, so that ca has no use`,
        },
      ];
    }
  }
  const { address } = reachOf(target);
  if (!address || isLoopbackHost(address.host)) return [];
  const tls = [...path, 'tls'];
  if (mode === 'disable') {
    return [{ severity: 'warning', path: tls, message: 'the connection to this target is not encrypted' }];
  }
  if (mode === 'require') {
    const message = 'this target is not verified: whoever sits in between can read the credential';
    return [{ severity: 'warning', path: tls, message }];
  }
  return [];
}

function checkCredential(target: TargetDocument, path: DocumentPath, dir: string, environment: Environment): Finding[] {
  return Object.entries(secretsOf(target.credential)).flatMap(([key, reference]): Finding[] => {
    try {
      readSecretNow(absolute(reference, dir), environment);
      return [];
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      return [{ severity: 'error', path: [...path, 'credential', key], message: error.message }];
    }
  });
}
