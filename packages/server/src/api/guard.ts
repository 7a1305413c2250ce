import { ApiError } from '@sluice/api/api-error.ts';
import type { Caller, GatewayVerb, ObjectCaller } from '@sluice/api/caller.ts';
import type { Endpoint } from '@sluice/api/endpoints.ts';
import { mayReview } from '@sluice/core/approvals/review.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { ApiServices } from './services.ts';

/** An object of the gateway, as far as it matters to who may see or touch it. */
export interface Guarded {
  readonly target: string;
  /** Id of the principal it belongs to. */
  readonly owner?: string;
  readonly request?: AccessRequest;
}

/**
 * Evaluates a route's declared caller for one principal, object by object, and remembers that it was asked: a route
 * that declares a rule and answers without it is stopped by the dispatcher.
 */
export class Guard {
  readonly principal: Principal;
  readonly #route: Endpoint;
  readonly #rule: Exclude<Caller, { kind: 'public' }>;
  readonly #services: ApiServices;
  readonly #client: ClientInfo;
  #asked = false;

  constructor(
    route: Endpoint,
    rule: Exclude<Caller, { kind: 'public' }>,
    principal: Principal,
    services: ApiServices,
    client: ClientInfo,
  ) {
    this.#client = client;
    this.#route = route;
    this.#rule = rule;
    this.principal = principal;
    this.#services = services;
  }

  /** Whether everything that the rule wants asked was asked. */
  get satisfied(): boolean {
    return this.#rule.kind === 'authenticated' || this.#asked;
  }

  /** The object, or `not_found` where it does not exist or the caller may not know that it does. */
  must<T>(object: T | undefined, guarded: (object: T) => Guarded, missing: string): T {
    this.#asked = true;
    if (object !== undefined) {
      const found = guarded(object);
      if (this.#may(found)) return object;
      this.#services.audit.record({
        name: 'api.refused',
        principal: this.principal.id,
        method: this.#route.method,
        route: this.#route.path,
        target: found.target,
      });
    }
    throw new ApiError('not_found', missing, {
      hint: 'It does not exist, or you may not see it. Check the name or id.',
    });
  }

  /** Leaves of a list those objects that the caller may see. */
  filter<T>(guarded: (object: T) => Guarded): (objects: readonly T[]) => T[] {
    this.#asked = true;
    return (objects) => objects.filter((object) => this.#may(guarded(object)));
  }

  #may(object: Guarded): boolean {
    // A route without a rule per object has no business asking: refuse rather than guess.
    if (this.#rule.kind !== 'object') return false;
    return this.#passes(this.#rule, object);
  }

  #passes(rule: ObjectCaller, object: Guarded): boolean {
    if (rule.own && object.owner !== undefined && object.owner === this.principal.id) return true;
    if (rule.reviewer && object.request && this.#isReviewer(object.request)) return true;
    return rule.verb !== undefined && this.allows(rule.verb, object.target);
  }

  /** Whether policy lets the caller do this on the target, from where it calls. */
  allows(verb: 'connect' | GatewayVerb, target: string): boolean {
    return this.#services.authorize(this.principal, verb, target, this.#client);
  }

  /** Reviewers keep seeing what they answered. */
  #isReviewer(request: AccessRequest): boolean {
    const eligible = mayReview(request, this.principal, this.#services.clock.now());
    return eligible.ok || eligible.refusal === 'already_answered';
  }
}
