/**
 * The gateway's own database: access requests, access credentials, the index of sessions, principals seen. Either
 * embedded (one gateway) or a PostgreSQL that several gateways share; the same queries run on both. It is not where
 * evidence lives: recordings are files of their own, and nothing here is needed to verify them.
 */
import type { Log } from '@sluice/core/contract/connector.ts';
import { openEmbedded } from './embedded/open.ts';
import { openExternal } from './external/open.ts';
import type { Store } from './store-port.ts';

export type StoreConfig =
  /** `dir` is the data directory; the store keeps to `store` in it. */
  { readonly kind: 'embedded'; readonly dir: string } | { readonly kind: 'postgres'; readonly url: string };

/** Opens it and brings its schema up to date. Rejects with a StoreError whose message is for the operator. */
export function openStore(config: StoreConfig, log: Log): Promise<Store> {
  return config.kind === 'embedded' ? openEmbedded(config.dir, log) : openExternal(config.url, log);
}
