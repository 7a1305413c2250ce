import type { Connection } from 'ssh2';
import { message, watchChannels, watchPayloads } from '../transport/wire.ts';
import type { Visitor } from './visitor.ts';
import { oneLine } from './words.ts';

/**
 * What of the protocol the gateway takes from a client, and when. The lists are closed: whatever is not in them is
 * refused and written down, also where the library would only pass over it.
 */
const channelTypes: ReadonlySet<string> = new Set(['session', 'direct-tcpip']);
const beforeStart: ReadonlySet<string> = new Set([
  'env',
  'pty-req',
  'window-change',
  'signal',
  'shell',
  'exec',
  'subsystem',
  'eow@openssh.com',
]);
const afterStart: ReadonlySet<string> = new Set(['window-change', 'signal', 'eow@openssh.com']);
/** `no-more-sessions` only takes something away; a keepalive only wants an answer, whatever it is. */
const globalRequests: ReadonlySet<string> = new Set(['keepalive@openssh.com', 'no-more-sessions@openssh.com']);

const transport = (type: number): boolean =>
  (type >= message.disconnect && type <= message.debug) ||
  type === message.extInfo ||
  (type >= message.kexFirst && type <= message.kexLast);

/** RFC 4250 section 4.1.2: 80 to 82 are requests to the connection and their answers, 90 to 100 channels. */
const connection = (type: number): boolean => (type >= 80 && type <= 82) || (type >= 90 && type <= 100);

export interface Watchers {
  /** The client that has proven itself; undefined before. */
  visitor(): Visitor | undefined;
  /** Ends the connection of a client that broke the protocol. */
  violated(name: string, why: string): void;
}

export function watchClient(client: Connection, { visitor, violated }: Watchers): void {
  watchPayloads(client, (type) => {
    // The first exchange is over when payloads can be seen. Another one is work that nobody has been asked who wants it.
    if (type === message.kexFirst && visitor() === undefined) {
      violated('key exchange', 'new keys before a login');
      return false;
    }
    if (transport(type)) return true;
    if (visitor() === undefined) {
      const login = type === message.serviceRequest || type === message.userauthRequest;
      if (login || type === message.userauthInfoResponse) return true;
      violated(`message ${type}`, 'a message that has no place before a login');
      return false;
    }
    if (connection(type)) return true;
    // RFC 4252 section 5.1 lets a second login be ignored; whoever tries one has reasons that we do not share.
    violated(`message ${type}`, type >= 50 && type < 80 ? 'a second login' : 'a message of an unknown type');
    return false;
  });
  watchChannels(client, {
    opens: (type) => {
      if (!channelTypes.has(type)) visitor()?.refuse('channel', type, 'The gateway opens no channels of this type.');
    },
    requests: (type, state) => {
      const known = state === 'fresh' ? beforeStart : state === 'started' ? afterStart : none;
      if (known.has(type)) return true;
      const late = state === 'started' && beforeStart.has(type);
      const why = late ? 'Something runs on this channel already.' : 'The gateway takes no such requests.';
      visitor()?.refuse('channel request', type, why);
      return false;
    },
    global: (name, wantReply, pass) => {
      const who = visitor();
      if (!who) return;
      if (!globalRequests.has(name)) who.refuse('global request', name, 'The gateway takes no such requests.');
      // No answer before it is known whether there is a session to answer for.
      who.whenDecided(pass, (error) => {
        if (wantReply) who.parts.goodbye(oneLine(error));
      });
    },
    violated: (why) => violated('channel', why),
    roomMade: () => visitor()?.parts.pace.changed(),
  });
}

const none: ReadonlySet<string> = new Set();
