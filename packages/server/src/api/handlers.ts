import type { Handlers } from './handler.ts';
import { accessCredentialRoutes } from './routes/access-credentials.ts';
import { accessRequestRoutes } from './routes/access-requests.ts';
import { gatewayRoutes } from './routes/gateway.ts';
import { policyRoutes } from './routes/policies.ts';
import { sessionRoutes } from './routes/sessions.ts';

export function handlers(version: string): Handlers {
  return {
    ...gatewayRoutes(version),
    ...accessCredentialRoutes,
    ...accessRequestRoutes,
    ...sessionRoutes,
    ...policyRoutes,
  };
}
