import type { Admission, Opening } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import type { OperationSession } from '@sluice/core/contract/operations.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { understandCommand } from './command/understand.ts';
import { openOperationSession } from './operate/operation-session.ts';
import { type ServePorts, serve } from './session/serve.ts';
import { execUnit } from './session/units.ts';
import { serveSftp } from './sftp/serve.ts';

/** What the connector has of its own, before it serves anybody. */
export type OwnPorts = Omit<ServePorts, 'understand' | 'serveFiles'>;

/** Serves one connection to its end. */
export function accept(own: OwnPorts, client: ClientLink, admission: Admission): Promise<void> {
  return serve(servePorts(own), client, admission);
}

export function interpret(target: string, text: string): Unit {
  return execUnit(understandCommand, target, text, { environment: new Map() });
}

export function operate(own: OwnPorts, opening: Opening, open: Admission['open']): Promise<OperationSession> {
  return openOperationSession(servePorts(own), opening, open);
}

function servePorts(own: OwnPorts): ServePorts {
  return {
    ...own,
    understand: understandCommand,
    serveFiles: (conversation, stream, closed, run) => serveSftp(conversation, stream, closed, own.labels, run),
  };
}
