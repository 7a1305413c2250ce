/**
 * Who may call a route. This is not documentation beside the check: the server evaluates exactly these values, and an
 * object route that answers without having asked them answers 500 instead.
 */
export type GatewayVerb = 'gateway:view' | 'gateway:manage';

export type Caller =
  /** Anyone, without a token. */
  | { readonly kind: 'public' }
  /** Any principal; the answer holds nothing that belongs to another one. */
  | { readonly kind: 'authenticated' }
  /** Asked for each object; whoever fails is told what someone asking for a non-existing one is told. */
  | ObjectCaller;

export interface ObjectCaller {
  readonly kind: 'object';
  /** The principal whom the object belongs to. */
  readonly own?: true;
  /** Whoever may answer the access request. */
  readonly reviewer?: true;
  /** Whoever policy permits this on the object's target. */
  readonly verb?: 'connect' | GatewayVerb;
}

/** For people. */
export function describeCaller(caller: Caller): string {
  if (caller.kind === 'public') return 'anyone';
  if (caller.kind === 'authenticated') return 'any principal';
  const parts: string[] = [];
  if (caller.own) parts.push('its own principal');
  if (caller.reviewer) parts.push('its reviewers');
  if (caller.verb) parts.push(`\`${caller.verb}\` on the target`);
  return parts.join(', or ');
}
