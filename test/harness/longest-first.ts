import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start gateways in processes of their own, or a target for each of very many promises. */
const long = /\/(test\/(contract|e2e)|packages\/(cli|demo))\//;

/**
 * The order in which vitest takes the files: it knows what took long the last time, and where there was none, as in
 * continuous integration, it goes by size. One that takes a minute must not be what all others have to be waited with for.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number =>
      project.config.isolate ? 0 : long.test(moduleId) ? 1 : 2;
    // Stable: among those of one rank it stays as it was.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
