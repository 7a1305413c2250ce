/**
 * The SSH connector: a server to the client and a client to the target (RFC 4251 to 4254, by `ssh2`), and between them
 * one unit per thing that a client starts: a command, a shell, a file operation, a forwarded connection. It decides
 * nothing and opens no socket; `session/serve.ts` follows one connection from start to end. There is no post-quantum key
 * exchange: the library has none, and it is loaded with the first client, as not every gateway has SSH.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { certify } from './login/certificate.ts';
import { ownKey } from './login/keys.ts';
import { sshOperations } from './operate/declarations.ts';
import { sshDeclarations } from './verbs.ts';

export const createSshConnector: ConnectorFactory = (ports: ConnectorPorts): Connector => {
  const host = ownKey(ports.key('host'));
  const authority = ownKey(ports.key('authority'));
  const own = { ...ports, host, authority };
  return {
    id: 'ssh',
    declares: sshDeclarations,
    discharges: ['mask'],
    accept: async (client, admission) => (await import('./serving.ts')).accept(own, client, admission),
    interpret: async (target, text) => (await import('./serving.ts')).interpret(target, text),
    operations: sshOperations,
    operate: async (opening, open) => (await import('./serving.ts')).operate(own, opening, open),
    clientAccess: {
      certify: (wish) => ({
        certificate: certify(authority, wish, ports.clock.now()),
        gatewayKeys: [host.publicLine],
      }),
    },
    close: async () => undefined,
  };
};
