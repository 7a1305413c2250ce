/**
 * What happens on each route, grouped by the kind of object. A handler is given valid input and a guard, asks the guard
 * about every object, and leaves the work to a service. It knows no HTTP: statuses and headers are made elsewhere.
 */
import { openApiDocument } from '@sluice/api/openapi.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { type Handlers, WithStatus } from '../handler.ts';
import { whoamiView } from '../views/principal.ts';

type Names = 'health' | 'openapi' | 'whoami' | 'listTargets' | 'listKeys';

export function gatewayRoutes(version: string): Pick<Handlers, Names> {
  const document = openApiDocument({ version });
  return {
    async health({ services, query }) {
      const health = await services.health();
      const checks = Object.fromEntries(
        Object.entries(health.checks).map(([name, ok]) => [name, ok ? ('ok' as const) : ('failing' as const)]),
      );
      const answer = { live: true as const, ready: health.ready, checks };
      return health.ready || query.probe === 'live' ? answer : new WithStatus(503, answer);
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
