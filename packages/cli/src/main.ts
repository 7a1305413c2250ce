/**
 * The `sluice` process: streams, environment and signals in, exit code out. Remote commands need little and load
 * little: the gateway itself is imported only by the commands that run it.
 */
import { readEnv } from './env.ts';
import { run } from './run.ts';
import { stopSignal } from './stop-signal.ts';
import { reportStrayRejections } from './stray-rejections.ts';
import { version } from './version.ts';

// A reader that has had enough, like `head`, ends the command without noise; but what was not told is no success.
process.stdout.on('error', () => process.exit(1));

reportStrayRejections(process.stderr);

const code = await run(process.argv.slice(2), {
  streams: { stdout: process.stdout, stderr: process.stderr },
  env: readEnv(),
  version,
  stopSignal,
});
// Whatever a stopped server may have left open must not keep the process: everything worth waiting for has ended.
process.exit(code);
