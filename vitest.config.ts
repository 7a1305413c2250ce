import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/**/src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: 'test/harness/run-folder.ts',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Real servers share the machine: few files at a time keep their start-up times honest.
    maxWorkers: 2,
  },
});
