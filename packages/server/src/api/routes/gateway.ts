/**
 * What happens on each route, grouped by the kind of object. A handler is given valid input and a guard, asks the guard
 * about every object, and leaves the work to a service. It knows no HTTP: statuses and headers are made elsewhere.
 */
import { openApiDocument } from '@sluice/api/openapi.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { type Handlers, WithStatus } from '../handler.ts';
import type { ApiServices, Health } from '../services.ts';
import { whoamiView } from '../views/principal.ts';
import { accessView } from '../views/target.ts';

type Names = 'health' | 'openapi' | 'whoami' | 'listTargets' | 'listKeys';

export function gatewayRoutes(version: string): Pick<Handlers, Names> {
  const document = openApiDocument({ version });
  const health = recentHealth();
  return {
    async health({ services, query }) {
      const { ready, checks: outcomes } = await health(services);
      const checks = Object.fromEntries(
        Object.entries(outcomes).map(([name, ok]) => [name, ok ? ('ok' as const) : ('failing' as const)]),
      );
      const answer = { live: true as const, ready, checks };
      return ready || query.probe === 'live' ? answer : new WithStatus(503, answer);
    },

    async openapi() {
      return document;
    },

    async whoami({ guard }) {
      return whoamiView(guard.principal);
    },

    async listTargets({ services, guard }) {
      const visible = guard.filter((target: Target) => ({ target: target.name }));
      return {
        items: visible(services.targets.list()).map((target) => ({
          name: target.name,
          connector: target.connector,
          tags: [...target.tags],
          ...accessView(services.targets.access(target)),
        })),
      };
    },

    async listKeys({ services }) {
      const keys = await services.keys();
      return {
        items: keys.map((key) => ({
          key_id: key.keyId,
          algorithm: 'Ed25519' as const,
          public_key: Buffer.from(key.publicKey).toString('base64'),
          current: key.current,
        })),
      };
    },
  };
}

/** Anyone may ask, so asking more than once a second costs nothing more. */
function recentHealth(): (services: ApiServices) => Promise<Health> {
  let last: { readonly at: number; readonly health: Promise<Health> } | undefined;
  return (services) => {
    const now = services.clock.now();
    if (!last || now < last.at || now - last.at >= 1000) last = { at: now, health: services.health() };
    return last.health;
  };
}
