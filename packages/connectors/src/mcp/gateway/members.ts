import { randomBytes } from 'node:crypto';
import type { ConnectorPorts, Opening } from '@sluice/core/contract/connector.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { OwnCredential } from '../../wire/own-credential.ts';
import type { Visit } from '../exchange.ts';
import { type Request, rpcCodes } from '../jsonrpc/message.ts';
import { Conversation, longestCall, mostAtOnce } from './conversation.ts';
import { agreedVersion, applicationOf, initializeResult } from './initialize.ts';
import { Member } from './member.ts';
import { openPeer } from './open-peer.ts';
import type { PeerEvents } from './peer.ts';
import { readRunContext } from './run-context.ts';
import { visibleText } from './visible-text.ts';

/** Gives the client the id of its session and the result of `initialize`. */
type Answer = (id: string, result: JsonObject) => Promise<void>;

/** Sessions of one principal at one target, and of all. */
const mostOfOne = 32;
const mostOfAll = 4_096;
const depth = 64;
/** Requests of a target that are recorded, in one session. */
const mostRefused = 100;
const ownCredential = 'the credential of the gateway, in what the target says';

/** The MCP sessions that are open: each of one client, with a session of the gateway's and a peer of its own. */
export class Members {
  readonly #ports: ConnectorPorts;
  readonly #members = new Map<string, Member>();
  /** Sessions that are being opened, by whose they will be. */
  readonly #opening = new Map<string, number>();

  constructor(ports: ConnectorPorts) {
    this.#ports = ports;
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** Whether there is no room for one more. */
  full(who: Visit['who'], target: string): boolean {
    return this.#countOf(who, target) >= mostOfOne || this.#members.size >= mostOfAll;
  }

  /** Opens one for a client that asks to initialize it. Rejects, with nothing left open, where that fails. */
  async open(visit: Visit, target: string, request: Request, answer: Answer): Promise<void> {
    const whose = whoseAt(visit.who, target);
    this.#opening.set(whose, (this.#opening.get(whose) ?? 0) + 1);
    try {
      await this.#open(visit, target, request, answer);
    } finally {
      const left = (this.#opening.get(whose) ?? 1) - 1;
      if (left > 0) this.#opening.set(whose, left);
      else this.#opening.delete(whose);
    }
  }

  async #open({ exchange, who, admission }: Visit, target: string, request: Request, answer: Answer): Promise<void> {
    const { params } = request;
    const version = agreedVersion(params);
    const application = applicationOf(params);
    const run = readRunContext(exchange.headers, params);
    const opening: Opening = {
      principal: who.principal,
      target,
      ...(who.credential === undefined ? {} : { credential: who.credential }),
      ...(application === '' ? {} : { application }),
      ...(run === undefined ? {} : { run }),
      resend: true,
      onHold: () => {},
      gone: new Promise((resolve) => {
        if (exchange.gone.aborted) resolve();
        exchange.gone.addEventListener('abort', () => resolve(), { once: true });
      }),
    };
    const session = await admission.open(opening);
    let member: Member | undefined;
    let over: string | undefined;
    session.onEnd((_reason, message) => {
      over = message;
      member?.end(message);
    });
    const { clock, limits, dialAside } = this.#ports;
    const events = this.#events(session, () => member);
    // Servers tell of their environment, and of the headers they were sent.
    const own = new OwnCredential(session.upstream.credential, () => member?.conversation.dropped(ownCredential));
    try {
      const parse = (bytes: Uint8Array): Json => own.json(this.#targetJson(bytes));
      const most = limits.messageBytes;
      const { peer, info } = await openPeer({
        session,
        events,
        clock,
        most,
        atOnce: mostAtOnce,
        longest: longestCall,
        dialAside,
        parse,
      });
      const conversation = new Conversation({
        session,
        peer,
        ports: this.#ports,
        own,
        parse: (text) => this.#targetJson(text),
      });
      const id = randomBytes(24).toString('base64url');
      const close = (): void => {
        this.#members.delete(id);
        peer.close();
      };
      member = new Member({ id, who, version, session, conversation, clock, over: close });
      this.#members.set(id, member);
      if (over !== undefined) member.end(over);
      if (exchange.gone.aborted) member.leave();
      const result = initializeResult(version, target, info);
      await answer(id, result);
    } catch (error) {
      session.end('upstream_closed', error instanceof Error ? error : undefined);
      throw error;
    }
  }

  #events(session: Member['session'], member: () => Member | undefined): PeerEvents {
    let refused = 0;
    return {
      onNotification: (notification) => {
        const shown = member()?.conversation.fromTarget(notification);
        return shown && member()?.tell(shown);
      },
      onRequest: ({ id, method }) => {
        if (method === 'ping') return { kind: 'result', id, result: {} };
        // Sampling, elicitation, roots: a target has no business with the client's model, its user or its files.
        if (++refused <= mostRefused)
          session.refuse('request of the target', visibleText(method, 128), 'A target may ask a client nothing.');
        else member()?.conversation.dropped('more requests of the target than are recorded one by one');
        return { kind: 'error', id, error: { code: rpcCodes.methodNotFound, message: 'Method not found' } };
      },
      onNonsense: (what) => {
        member()?.conversation.dropped(what);
      },
      onLost: (error) => {
        member()?.end('The target is gone. Initialize a new session.');
        session.end('upstream_closed', error);
      },
    };
  }

  /** What a target says may have numbers of any size; those that no reader keeps come as text, digit by digit. */
  #targetJson(source: Uint8Array | string): Json {
    const bytes = this.#ports.limits.messageBytes;
    return parseStrictJson(source, { bytes, depth, inexact: () => {}, loneSurrogates: 'keep' });
  }

  #countOf(who: Visit['who'], target: string): number {
    let count = this.#opening.get(whoseAt(who, target)) ?? 0;
    for (const member of this.#members.values()) {
      const { principal, target: at } = member.session.info;
      if (principal.id === who.principal.id && at.name === target) count++;
    }
    return count;
  }
}

function whoseAt(who: Visit['who'], target: string): string {
  return `${target}\n${who.principal.id}`;
}
