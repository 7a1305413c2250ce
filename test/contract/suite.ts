/**
 * The contract suite: what every connector promises, as tests over an adapter. One target and one gateway for all of
 * them; what it learns about a protocol it learns through the adapter.
 */
import { afterAll, beforeAll, describe, vi } from 'vitest';
import type { Adapter } from './adapter.ts';
import { promisesOfDecisions } from './promises-of-decisions.ts';
import { promisesOfEndings } from './promises-of-endings.ts';
import { promisesOfHolds } from './promises-of-holds.ts';
import { promisesOfMasking } from './promises-of-masking.ts';
import { promisesOfRecords } from './promises-of-records.ts';
import { promisesOfStreams } from './promises-of-streams.ts';
import { type Stage, setStage } from './stage.ts';

export function contractSuite(adapter: Adapter): void {
  const over = adapter.over === undefined ? '' : ` over ${adapter.over}`;
  describe(`the connector "${adapter.connector}"${over}`, () => {
    // Real servers on a machine that is busy with other tests.
    vi.setConfig({ testTimeout: 60_000 });
    let set: Stage | undefined;
    const stage = (): Stage => {
      if (!set) throw new Error('the stage is not set');
      return set;
    };
    beforeAll(async () => {
      set = await setStage(adapter);
    });
    afterAll(() => set?.stop());

    describe('decisions', () => promisesOfDecisions(adapter, stage));
    describe('holds', () => promisesOfHolds(adapter, stage));
    describe('masking', () => promisesOfMasking(adapter, stage));
    describe('streams', () => promisesOfStreams(adapter, stage));
    describe('endings', () => promisesOfEndings(adapter, stage));
    describe('records', () => promisesOfRecords(adapter, stage));
  });
}
