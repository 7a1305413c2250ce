/** One client connection from its first byte to its last: hello, identity, session, upstream login, conversation. */
import type { Admission, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { CancelKeys } from '../cancel-keys.ts';
import type { FreshCatalog } from '../fresh-catalog.ts';
import { type Hello, proveIdentity, readHello } from '../login/client-login.ts';
import { holdNotice } from '../login/hold-notice.ts';
import { MessageReader } from '../login/message-reader.ts';
import { problemOf } from '../login/refusal.ts';
import { type LoggedIn, logIn, startTls } from '../login/upstream-login.ts';
import type { MeaningCache } from '../meaning/cache.ts';
import type { PeerTalk } from '../peer-talk.ts';
import { authentication } from '../protocol/codes.ts';
import {
  authenticationRequest,
  backendKeyData,
  cancelRequest,
  parameterStatus,
  problem,
  readyForQuery,
} from '../protocol/messages.ts';
import { ClientOutput } from './client-output.ts';
import { Conversation } from './conversation.ts';
import { FromClient } from './from-client.ts';
import { FromServer } from './from-server.ts';
import { readState, Settlement } from './settlement.ts';
import { SessionState } from './state.ts';

export interface ServePorts extends ConnectorPorts {
  readonly cancelKeys: CancelKeys;
  readonly meanings: MeaningCache;
  readonly peerTalk: PeerTalk;
  catalogOf(target: string): FreshCatalog;
}

/** What the server knows the session by. */
type Backend = Pick<LoggedIn, 'pid' | 'secret'>;

export async function serve(ports: ServePorts, link: ClientLink, admission: Admission): Promise<void> {
  const reader = new MessageReader(link, 'client', ports.limits.preAuthBytes);
  const stopClock = ports.clock.after(ports.limits.preAuthTime, () => link.destroy());
  let user = '';
  let database = '';
  try {
    const hello = await readHello(link, reader);
    if (hello.kind === 'cancel') {
      if (!ports.cancelKeys.cancel(hello.pid, hello.secret)) ports.peerTalk.cancel(hello.pid, hello.secret);
      link.end();
      return;
    }
    ({ user, database } = hello.parameters);
    const principal = await proveIdentity(link, reader, admission, hello.parameters);
    stopClock();
    const session = await admission.open({
      principal,
      target: database,
      ...(admission.identity.isCredentialId(user) ? { credential: user } : {}),
      ...(hello.parameters.application ? { application: hello.parameters.application } : {}),
      onHold: (notice) => link.write(problem(holdNotice(notice))),
      gone: reader.gone,
    });
    await converse(ports, link, reader, session, hello).catch((error) => {
      // Whatever it was: no session stays open that nobody serves.
      session.end('gateway_error', error instanceof Error ? error : undefined);
      throw error;
    });
  } catch (error) {
    admission.refused(error instanceof CoreError ? error.code : 'client_protocol', user, database);
    ports.log.info({ remote: link.remote, user, database, err: error }, 'connection refused');
    link.write(problem(problemOf(error, 'FATAL')));
    link.end();
  } finally {
    stopClock();
  }
}

async function converse(
  ports: ServePorts,
  client: ClientLink,
  reader: MessageReader,
  session: Session,
  hello: Hello & { kind: 'login' },
): Promise<void> {
  let upstream: LoggedIn;
  const target = session.info.target.name;
  const catalog = ports.catalogOf(target);
  try {
    const access = session.upstream;
    const fresh = catalog.freshen();
    // Why the login itself fails tells more than that the catalog cannot be read either.
    fresh?.catch(() => undefined);
    upstream = await logIn(access, hello.parameters.settings, ports.clock);
    await fresh;
  } catch (error) {
    session.end('upstream_closed', error instanceof Error ? error : undefined);
    throw error;
  }
  session.established();
  // What the server said when it greeted is not kept as long as the session.
  const backend: Backend = { pid: upstream.pid, secret: upstream.secret };
  const output = new ClientOutput(client);
  const state = new SessionState(target);
  const socket = session.upstream.socket;
  const c = new Conversation({
    ports,
    session,
    client,
    upstream: socket,
    output,
    state,
    catalog,
    meanings: ports.meanings,
  });
  const fromServer = new FromServer(c);
  const fromClient = new FromClient(c);
  const settlement = new Settlement(c);
  c.settle = () => settlement.settle();
  const key = ports.cancelKeys.issue(hello.minor, () => {
    if (!fromClient.cancelHeld()) void cancelUpstream(ports, target, backend);
  });
  wire(c, fromClient, fromServer);
  session.onEnd((reason, message) => {
    if (c.owed.length > 0) void cancelUpstream(ports, target, backend);
    c.close(reason, { severity: 'FATAL', code: '57P01', message });
  });
  client.onClose(() => {
    key.release();
    if (c.owed.length > 0 && !c.over) void cancelUpstream(ports, target, backend);
    c.close('client_closed');
  });
  if (upstream.rest.length > 0) fromServer.push(upstream.rest);
  try {
    await readState(c);
  } catch (error) {
    c.fail(error, 'upstream_closed');
    return;
  }
  output.write(authenticationRequest(authentication.ok));
  for (const [name, value] of upstream.parameters) {
    state.told(name, value);
    output.write(parameterStatus(name, value));
  }
  output.write(backendKeyData(key.pid, key.secret));
  output.write(readyForQuery('I'));
  const early = reader.leave();
  if (early.length > 0) fromClient.push(early);
  fromClient.endTurn();
  client.onData((chunk) => fromClient.push(chunk));
}

function wire(c: Conversation, fromClient: FromClient, fromServer: FromServer): void {
  let held = 0;
  const hold = (): void => {
    if (held++ === 0) c.upstream.pause();
  };
  const release = (): void => {
    if (--held === 0) c.upstream.resume();
  };
  let clientSlow = false;
  c.upstream.onData((chunk) => {
    fromServer.push(chunk);
    if (c.over) return;
    if (!c.output.flush() && !clientSlow) {
      clientSlow = true;
      hold();
    }
    fromClient.answered();
    if (c.session.recorderBehind) {
      hold();
      c.session.onRecorderReady(release);
    }
  });
  c.client.onDrain(() => {
    c.output.drained();
    if (clientSlow) {
      clientSlow = false;
      release();
    }
    fromClient.run();
  });
  c.upstream.onDrain(() => fromClient.upstreamDrained());
  c.upstream.onClose((error) => {
    if (c.terminated) {
      c.close('client_closed');
      return;
    }
    const gone = new CoreError('upstream_unreachable', 'upstream', 'The database closed the connection.', {
      cause: error,
    });
    c.fail(gone, 'upstream_closed');
  });
}

/** Protocol "CancelRequest": a connection of its own, closed by the server without an answer. */
async function cancelUpstream(ports: ServePorts, target: string, { pid, secret }: Backend): Promise<void> {
  try {
    const access = await ports.dialAside(target);
    if (access.tls !== 'disable') await startTls(access, new MessageReader(access.socket, 'upstream', 1_024));
    access.socket.write(cancelRequest(pid, secret));
    access.socket.end();
  } catch (error) {
    ports.log.warn({ target, err: error }, 'cancel could not be passed on');
  }
}
