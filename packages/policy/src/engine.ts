/**
 * Cedar, asked one thing only: which policies of a set apply to a request. The engine is given every policy as a
 * permit, for Cedar names all permits that apply and, once a forbid applies, no permit at all; what effect the applying
 * policies have together is worked out in outcome.ts, dry runs and approvals included, from that one answer.
 */
import { randomUUID } from 'node:crypto';
import {
  type AuthorizationAnswer,
  type CheckParseAnswer,
  type DetailedError,
  type EntityJson,
  preparsePolicySet,
  preparseSchema,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { LoadedPolicy } from './policy-set.ts';
import type { PolicySchema } from './schema.ts';
import { asPermit } from './source/pieces.ts';

export type EngineRequest = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context'> & {
  readonly entities: EntityJson[];
};

export interface Applying {
  /** Ids of the policies whose scope and conditions hold. */
  readonly applied: ReadonlySet<string>;
  /** Policies that could not be evaluated, and why. Cedar itself would pass over them: a forbid would be lost. */
  readonly failed: ReadonlyMap<string, string>;
}

export class Engine {
  readonly #slot: string;
  readonly #schemaName: string;

  constructor(policies: readonly LoadedPolicy[], schema: PolicySchema) {
    this.#schemaName = namedSchema(schema);
    this.#slot = slots.take();
    freed.register(this, this.#slot);
    const staticPolicies = Object.fromEntries(policies.map((policy) => [policy.id, asPermit(policy.cedar)]));
    succeed(preparsePolicySet(this.#slot, { staticPolicies }));
  }

  /** Throws when the request doesn't fit the schema. */
  applying(request: EngineRequest): Applying {
    const answer: AuthorizationAnswer = statefulIsAuthorized({
      ...request,
      preparsedSchemaName: this.#schemaName,
      preparsedPolicySetId: this.#slot,
      validateRequest: true,
    });
    if (answer.type === 'failure') throw new Error(words(answer.errors));
    const { reason, errors } = answer.response.diagnostics;
    return {
      applied: new Set(reason),
      failed: new Map(errors.map((each) => [each.policyId, words([each.error])])),
    };
  }
}

/**
 * Pre-parsed sets live in the engine under a name, for ever. A name is used again once the snapshot it belonged to is
 * out of everybody's reach, so that a gateway that reloads often doesn't grow.
 */
class Slots {
  #next = 0;
  readonly #free: string[] = [];

  take(): string {
    return this.#free.pop() ?? `${owner}/set-${this.#next++}`;
  }

  /** Called by the collector, where an error would end the process: a name that can't be emptied is not used again. */
  give(slot: string): void {
    try {
      succeed(preparsePolicySet(slot, { staticPolicies: {} }));
      this.#free.push(slot);
    } catch {
      // The engine itself is broken then, which every decision says aloud.
    }
  }
}

/** The engine's names are shared by all who load it in this thread, a second copy of this module included. */
const owner = randomUUID();
const slots = new Slots();
const freed = new FinalizationRegistry<string>((slot) => slots.give(slot));
const schemaNames = new Map<string, string>();

/** The schema changes with the connectors only, so there are as many as the process has sets of connectors. */
function namedSchema(schema: PolicySchema): string {
  const content = JSON.stringify(schema.cedar);
  const known = schemaNames.get(content);
  if (known !== undefined) return known;
  const name = `${owner}/schema-${schemaNames.size}`;
  succeed(preparseSchema(name, schema.cedar));
  schemaNames.set(content, name);
  return name;
}

function succeed(answer: CheckParseAnswer): void {
  if (answer.type === 'failure') throw new Error(words(answer.errors));
}

function words(errors: readonly DetailedError[]): string {
  return errors.map((error) => error.message).join('; ');
}
