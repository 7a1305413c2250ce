#!/usr/bin/env node
// Runs the TypeScript sources directly: the checkout has no build step, so what runs is what is read.
import { register } from 'tsx/esm/api';

register();
await import('../src/main.ts');
