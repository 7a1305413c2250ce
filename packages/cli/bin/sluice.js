#!/usr/bin/env node
// Runs the TypeScript sources directly: the checkout has no build step, so what runs is what is read. What runs for long
// is compiled as a whole; anything else is sooner done file by file.
import '@sluice/server/wasm-calls.js';

const main = new URL('../src/main.ts', import.meta.url).href;

if (process.argv[2] === 'start') {
  const { launch } = await import('@sluice/server/launch.js');
  await launch(main);
} else {
  const { register } = await import('tsx/esm/api');
  register();
  await import(main);
}
