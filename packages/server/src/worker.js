// The entry of a worker process: what runs TypeScript in the gateway's own process is not inherited.
import './wasm-calls.js';
import { launch } from './launch.js';

await launch(new URL('./worker.ts', import.meta.url).href);
