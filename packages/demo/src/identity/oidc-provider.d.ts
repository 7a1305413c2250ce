/** The part of `oidc-provider` that the demo uses; the package ships no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface ResourceServer {
    readonly scope: string;
    readonly audience: string;
    readonly accessTokenFormat: 'jwt' | 'opaque';
    /** Seconds. */
    readonly accessTokenTTL: number;
    readonly jwt?: { readonly sign: { readonly alg: string } };
  }

  export interface Token {
    readonly clientId?: string;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    on(event: string, listener: (...details: unknown[]) => void): this;
  }
}
