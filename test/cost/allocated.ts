import { Session } from 'node:inspector';

/** Bytes allocated on the heap while it runs, whether they were collected meanwhile or not. */
export async function allocated(work: () => Promise<void>): Promise<number> {
  const inspector = new Session();
  inspector.connect();
  const post = (method: string, options?: object): Promise<object> =>
    new Promise((resolve, reject) =>
      inspector.post(method, options, (error, result) => (error ? reject(error) : resolve(result ?? {}))),
    );
  await post('HeapProfiler.startSampling', {
    samplingInterval: 1_024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = (await post('HeapProfiler.stopSampling')) as { profile: { head: ProfileNode } };
  inspector.disconnect();
  return sizeOf(profile.head);
}

interface ProfileNode {
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

function sizeOf(node: ProfileNode): number {
  return node.children.reduce((sum, child) => sum + sizeOf(child), node.selfSize);
}
