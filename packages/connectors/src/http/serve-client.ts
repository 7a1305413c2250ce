import type { Admission, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { HttpExchange, HttpRefusal, HttpRequestHead, HttpUpgrade } from '../wire/http/exchange.ts';
import { HttpError } from '../wire/http/http-error.ts';
import { serveHttp } from '../wire/http/serve.ts';
import type { Route } from './route.ts';
import type { Conversation } from './session/conversation.ts';
import { answerProblem, problemOf, simple } from './session/problem.ts';
import type { Receiver } from './session/receiver.ts';
import { type Grounds, Visitor } from './session/visitor.ts';
import { openWebSocket, upgradeReceiver } from './websocket/open.ts';

export interface ClientGrounds extends Grounds {
  readonly ports: Pick<ConnectorPorts, 'limits' | 'log' | 'clock'>;
  routes(authority: string, path: string): Route | undefined;
}

/** A name under which the gateway answers in the clear: a page in a browser can be made to call it by another. */
const loopbackName = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/;

/** Serves one connection of a client to its end. */
export async function serveClient(grounds: ClientGrounds, link: ClientLink, admission: Admission): Promise<void> {
  const { log, limits } = grounds.ports;
  let close: (message: string) => void = () => {};
  const visitor = new Visitor(grounds, admission, (message) => close(message));
  const failed = (error: unknown): void => {
    if (!(error instanceof SluiceError)) log.error({ remote: link.remote, err: error }, 'an exchange failed');
  };
  try {
    await serveHttp(link, {
      limits,
      onExchange: (exchange) => answer(grounds, visitor, admission, exchange),
      onUpgrade: (upgrade) => open(grounds, visitor, admission, upgrade),
      onRefused: (refusal) => refused(visitor, admission, refusal),
      onFailure: failed,
      onConnected: (connection) => {
        close = (message) => connection.close(message);
      },
    });
  } finally {
    await visitor.leave();
  }
}

async function answer(
  grounds: ClientGrounds,
  visitor: Visitor,
  admission: Admission,
  exchange: HttpExchange,
): Promise<void> {
  const found = await routed(grounds, visitor, admission, exchange, exchange.origin, exchange);
  if (!found) return;
  const { conversation, route } = found;
  const { method, headers, hasBody, body } = exchange;
  await conversation.exchange({
    request: { method, path: route.path, headers, hasBody, body },
    receiver: exchange,
    gone: exchange.gone,
    prefix: route.prefix,
  });
}

async function open(
  grounds: ClientGrounds,
  visitor: Visitor,
  admission: Admission,
  upgrade: HttpUpgrade,
): Promise<void> {
  const receiver = upgradeReceiver(upgrade);
  const found = await routed(grounds, visitor, admission, upgrade, upgrade.origin, receiver);
  if (found) await openWebSocket(found.conversation, upgrade, receiver, found.route);
}

/** Where a request goes and in which session; undefined when it was refused and answered. */
async function routed(
  { routes }: ClientGrounds,
  visitor: Visitor,
  admission: Admission,
  request: HttpRequestHead,
  origin: HttpExchange['origin'],
  receiver: Receiver,
): Promise<{ readonly conversation: Conversation; readonly route: Route } | undefined> {
  const refuse = async (status: number, code: string, detail: string): Promise<undefined> => {
    admission.refused(code, '', '');
    await answerProblem(receiver, simple(status, code, detail));
    return undefined;
  };
  if (!origin.secure && !origin.loopback) {
    return refuse(403, 'client_protocol', 'Use https: what proves who you are may be sent over TLS only.');
  }
  const route = routes(request.authority, request.path);
  if (!route) return refuse(404, 'unknown_target', 'No target has this name, and the path is not /t/<target>/….');
  if (route.prefix !== '' && !origin.secure && !loopbackName.test(request.authority)) {
    return refuse(421, 'client_protocol', 'In the clear, the gateway answers under loopback names only.');
  }
  try {
    return { conversation: await visitor.conversation(request, route), route };
  } catch (error) {
    await answerProblem(receiver, problemOf(error));
    if (!(error instanceof SluiceError)) throw error;
    return undefined;
  }
}

/** Recorded where it belongs to a session, and else in the journal. */
function refused(visitor: Visitor, admission: Admission, { reason, text }: HttpRefusal): void {
  const conversation = visitor.last;
  if (!conversation) {
    admission.refused('client_protocol', '', '');
    return;
  }
  try {
    conversation.session.refuse('HTTP', text, reason);
    conversation.session.flush();
  } catch (error) {
    conversation.end('recording_failed', error instanceof CoreError ? error : new HttpError('bad_request', reason));
  }
}
