/**
 * Where each route lives, and nothing else: plain data without schemas, so that a client which only sends requests
 * loads no validator. What a route takes, gives and who may call it is in routes.ts.
 */
export type Method = 'GET' | 'POST' | 'DELETE';

export interface Endpoint {
  readonly method: Method;
  /** OpenAPI form: parameters in braces. */
  readonly path: string;
}

export const apiPrefix = '/api/v1';

export const endpoints = {
  health: { method: 'GET', path: '/api/v1/health' },
  openapi: { method: 'GET', path: '/api/openapi.json' },
  whoami: { method: 'GET', path: '/api/v1/whoami' },
  listTargets: { method: 'GET', path: '/api/v1/targets' },
  listKeys: { method: 'GET', path: '/api/v1/keys' },

  issueAccessCredential: { method: 'POST', path: '/api/v1/access-credentials' },
  listAccessCredentials: { method: 'GET', path: '/api/v1/access-credentials' },
  revokeAccessCredential: { method: 'DELETE', path: '/api/v1/access-credentials/{id}' },

  listAccessRequests: { method: 'GET', path: '/api/v1/access-requests' },
  getAccessRequest: { method: 'GET', path: '/api/v1/access-requests/{id}' },
  approveAccessRequest: { method: 'POST', path: '/api/v1/access-requests/{id}/approve' },
  denyAccessRequest: { method: 'POST', path: '/api/v1/access-requests/{id}/deny' },
  revokeAccessRequest: { method: 'POST', path: '/api/v1/access-requests/{id}/revoke' },

  listSessions: { method: 'GET', path: '/api/v1/sessions' },
  getSession: { method: 'GET', path: '/api/v1/sessions/{id}' },
  listSessionEvents: { method: 'GET', path: '/api/v1/sessions/{id}/events' },
  getSessionRecording: { method: 'GET', path: '/api/v1/sessions/{id}/recording' },
  killSession: { method: 'POST', path: '/api/v1/sessions/{id}/kill' },

  getPolicies: { method: 'GET', path: '/api/v1/policies' },
  dryRunPolicies: { method: 'POST', path: '/api/v1/policies/dry-runs' },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof endpoints;
