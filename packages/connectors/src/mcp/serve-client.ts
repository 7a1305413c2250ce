import type { Admission, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import type { HttpExchange } from '../wire/http/exchange.ts';
import { serveHttp } from '../wire/http/serve.ts';
import { ConnectionProofs } from './connection-proofs.ts';
import { answerMetadata, answerUnproven, placeOf, provenBy, refusalOf } from './door.ts';
import type { Visit } from './exchange.ts';
import { serveFront } from './front/serve-front.ts';
import { UpstreamEndpoint } from './gateway/endpoint.ts';
import { answerJson } from './reply.ts';

/** Largest request, in bytes; what is larger is no call of a tool. */
const largestRequest = 4_194_304;
/** Refused requests of one connection that the journal gets. */
const mostRecorded = 20;

/** Serves connections; what they begin at upstream servers is common to all of them. */
export function createServing(ports: ConnectorPorts): (client: ClientLink, admission: Admission) => Promise<void> {
  const { limits, log } = ports;
  const bodyBytes = Math.min(limits.messageBytes, largestRequest);
  const own: ReadonlySet<string> = new Set(ports.targets.map(({ name }) => name));
  const front = serveFront({ operations: ports.operations, log, bodyBytes });
  const upstream = new UpstreamEndpoint(ports);

  async function answer(exchange: HttpExchange, admission: Admission, proofs: ConnectionProofs): Promise<void> {
    const refusal = refusalOf(exchange);
    if (refusal !== undefined) {
      admission.refused('client_protocol', '', '');
      await answerJson(exchange, 403, { error: 'forbidden', message: refusal });
      return;
    }
    const place = placeOf(exchange.path);
    if (place.kind === 'nowhere') {
      await answerJson(exchange, 404, { error: 'not_found', message: 'There is /mcp, and /mcp/<target>.' });
      return;
    }
    if (place.kind === 'metadata') {
      await answerMetadata(exchange, place.path, ports.issuers);
      return;
    }
    const target = place.kind === 'target' ? place.name : '';
    const who = await provenBy(exchange, proofs, target).catch(async (error) => {
      admission.refused(error?.code ?? 'unauthenticated', '', target);
      await answerUnproven(exchange, error);
      return undefined;
    });
    if (!who) return;
    const visit: Visit = { exchange, who, admission };
    // A target of another protocol, and one that is not there, have the gateway's own tools at their address.
    if (place.kind === 'target' && own.has(place.name)) await upstream.serve(visit, place.name);
    else await front(visit, place.kind === 'target' ? place.name : undefined);
  }

  return (client, admission) => {
    const proofs = new ConnectionProofs(admission.identity, ports.clock);
    const recorded = recordingFew(admission, () =>
      log.warn({ remote: client.remote }, 'more is refused on this connection than is recorded one by one'),
    );
    return serveHttp(client, {
      limits,
      bodyBytes,
      onExchange: (exchange) => answer(exchange, recorded, proofs),
      onRefused: ({ status, reason }) => {
        recorded.refused('client_protocol', '', '');
        log.info({ remote: client.remote, status, reason }, 'an HTTP request was refused');
      },
      onFailure: (err) => log.error({ remote: client.remote, err }, 'an HTTP request failed'),
    });
  };
}

/** One connection brings any number of requests; that they are refused must not fill the journal. */
function recordingFew(admission: Admission, onMore: () => void): Admission {
  let count = 0;
  return {
    identity: admission.identity,
    open: (opening) => admission.open(opening),
    refused: (code, user, target) => {
      count++;
      if (count <= mostRecorded) admission.refused(code, user, target);
      else if (count === mostRecorded + 1) onMore();
    },
  };
}
