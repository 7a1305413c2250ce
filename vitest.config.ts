import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/harness/longest-first.ts';

// Files that need a process of their own: one replaces modules, which would come too late for those that are loaded;
// one is about how deep the stack goes, of which code that ran much before (and was compiled anew for it) takes more.
const alone = ['packages/server/src/credentials/access-credentials.test.ts'];

export default defineConfig({
  test: {
    // As in the gateway, see packages/server/src/wasm-calls.js: tests run the policy engine for longer than most.
    execArgv: ['--no-turbo-inline-js-wasm-calls'],
    globalSetup: 'test/harness/run-folder.ts',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Real servers share the machine: few files at a time keep their start-up times honest. One more than there are
    // processors in what runs this continuously, as most files wait for something much of their time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['packages/**/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone],
          // Loading the gateway takes longer than many a file's tests, so a process that has it runs the next file too.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone, isolate: true } },
    ],
  },
});
