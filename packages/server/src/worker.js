// The entry of a worker process. Runs the TypeScript sources directly: a loader is not inherited from the gateway's own
// process.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
