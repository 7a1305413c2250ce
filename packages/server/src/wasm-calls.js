/**
 * To be imported first by whatever runs the gateway: calls into WebAssembly are not inlined. The engine of Node 20 ends
 * the process ("Fatal error in , line 0, unreachable code", SIGTRAP) when a function into which it inlined a call that
 * gives a reference is thrown back to the interpreter while that call is under way, as the policy engine's calls do
 * once a process has run for a while. What inlining saves is some tens of nanoseconds per call.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--no-turbo-inline-js-wasm-calls');
