import { type Identified, unauthenticated } from '@sluice/core/contract/identity.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { HttpExchange } from '../wire/http/exchange.ts';
import type { ConnectionProofs } from './connection-proofs.ts';
import { answerJson } from './reply.ts';

/** Where a path leads to. */
export type Place =
  | { readonly kind: 'front' }
  | { readonly kind: 'target'; readonly name: string }
  /** RFC 9728 section 3: about the protected resource at this path. */
  | { readonly kind: 'metadata'; readonly path: string }
  | { readonly kind: 'nowhere' };

const wellKnown = '/.well-known/oauth-protected-resource';
/** As targets are named in the configuration. Nothing is decoded: what is written otherwise leads nowhere. */
const targetPath = /^\/mcp\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/;

export function placeOf(path: string): Place {
  if (path === '/mcp') return { kind: 'front' };
  const target = targetPath.exec(path)?.[1];
  if (target !== undefined) return { kind: 'target', name: target };
  if (path !== wellKnown && !path.startsWith(`${wellKnown}/`)) return { kind: 'nowhere' };
  const about = path.slice(wellKnown.length);
  return about === '' || about === '/mcp' || targetPath.test(about)
    ? { kind: 'metadata', path: about }
    : { kind: 'nowhere' };
}

/**
 * Why a request may not come in at all, whoever sent it; undefined when it may. A page in a browser can make the
 * browser call a name that its owner lets point here (DNS rebinding), or this machine itself: Host and Origin tell.
 */
export function refusalOf(exchange: HttpExchange): string | undefined {
  const { origin, authority } = exchange;
  if (!origin.secure && !origin.loopback) return 'Use https: a token may be sent over TLS only.';
  // Over TLS, who is called by another name fails at the certificate.
  if (!origin.secure && !loopbackName.test(authority)) return 'The Host is none of this gateway’s.';
  if (authority === '') return 'A request needs a Host.';
  const origins = exchange.headers.filter(([name]) => name === 'origin');
  const same = `${origin.secure ? 'https' : 'http'}://${authority}`;
  if (origins.some(([, value]) => value.toLowerCase() !== same)) return 'The Origin is not this gateway’s own.';
  return undefined;
}

const loopbackName = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/;

/** Rejects with the one refusal, whatever is wrong with the proof. `target` is empty for the gateway itself. */
export async function provenBy(exchange: HttpExchange, proofs: ConnectionProofs, target: string): Promise<Identified> {
  const fields = exchange.headers.filter(([name]) => name === 'authorization');
  const token = fields.length === 1 ? /^bearer +([\x21-\x7e]+)$/i.exec(fields[0]?.[1] ?? '')?.[1] : undefined;
  if (token === undefined) throw unauthenticated(undefined, 'no bearer token, or more than one');
  return proofs.identify(new Redacted(token), target);
}

/** RFC 6750 section 3 with RFC 9728 section 5.1: what to prove, and where a token is to be had. */
export async function answerUnproven(exchange: HttpExchange, error: unknown): Promise<void> {
  const why = error instanceof SluiceError ? error : unauthenticated(error);
  if (why.code !== 'unauthenticated') {
    await answerJson(exchange, 503, { error: why.code, message: why.publicMessage }, [['retry-after', '5']]);
    return;
  }
  const tried = exchange.headers.some(([name]) => name === 'authorization');
  const path = exchange.path.split('?', 1)[0] ?? '';
  const challenge = `Bearer resource_metadata="${originOf(exchange)}${wellKnown}${path}"${tried ? ', error="invalid_token"' : ''}`;
  const body = { error: 'unauthenticated', message: why.publicMessage };
  await answerJson(exchange, 401, body, [['www-authenticate', challenge]]);
}

/** RFC 9728 section 2. The same for targets that are there and targets that are not. */
export function answerMetadata(exchange: HttpExchange, about: string, issuers: readonly string[]): Promise<void> {
  return answerJson(exchange, 200, {
    resource: `${originOf(exchange)}${about}`,
    authorization_servers: [...issuers],
    bearer_methods_supported: ['header'],
    resource_name: 'Sluice',
  });
}

function originOf({ origin, authority }: HttpExchange): string {
  return `${origin.secure ? 'https' : 'http'}://${authority}`;
}
