/**
 * The SSH connector: a server to the client and a client to the target (RFC 4251 to 4254, by `ssh2`), and between them
 * one unit per thing that a client starts: a command, a shell, a file operation, a forwarded connection. It decides
 * nothing and opens no socket; `session/serve.ts` follows one connection from start to end. There is no post-quantum key
 * exchange: the library has none.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { understandCommand } from './command/understand.ts';
import { certify } from './login/certificate.ts';
import { ownKey } from './login/keys.ts';
import { sshOperations } from './operate/declarations.ts';
import { openOperationSession } from './operate/operation-session.ts';
import { type ServePorts, serve } from './session/serve.ts';
import { execUnit } from './session/units.ts';
import { serveSftp } from './sftp/serve.ts';
import { sshDeclarations } from './verbs.ts';

export const createSshConnector: ConnectorFactory = (ports: ConnectorPorts): Connector => {
  const host = ownKey(ports.key('host'));
  const authority = ownKey(ports.key('authority'));
  const own: ServePorts = {
    ...ports,
    host,
    authority,
    understand: understandCommand,
    serveFiles: (conversation, stream, closed, run) => serveSftp(conversation, stream, closed, ports.labels, run),
  };
  return {
    id: 'ssh',
    declares: sshDeclarations,
    discharges: ['mask'],
    accept: (client, admission) => serve(own, client, admission),
    interpret: async (target, text) => execUnit(understandCommand, target, text, { environment: new Map() }),
    operations: sshOperations,
    operate: (opening, open) => openOperationSession(own, opening, open),
    clientAccess: {
      certify: (wish) => ({
        certificate: certify(authority, wish, ports.clock.now()),
        gatewayKeys: [host.publicLine],
      }),
    },
    close: async () => undefined,
  };
};
