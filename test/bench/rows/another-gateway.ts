import { Ledger } from '../check/ledger.ts';
import { SealedRecordings } from '../check/sealed.ts';
import { type BenchGateway, type GatewayOptions, startBenchGateway } from '../peers/gateway.ts';

/**
 * Runs something with a gateway of its own, which is ended and checked like the one of the chapter. Rejects when what it
 * recorded is not what was sent.
 */
export async function withGateway<Answer>(
  options: GatewayOptions,
  use: (gateway: BenchGateway, ledger: Ledger) => Promise<Answer>,
): Promise<Answer> {
  const gateway = await startBenchGateway(options);
  const ledger = new Ledger();
  let running = true;
  try {
    const answer = await use(gateway, ledger);
    running = false;
    await gateway.stop();
    const recordings = new SealedRecordings(gateway.dataDir, ledger);
    const faults = [...(await recordings.take()), ...ledger.settle(), ...(await recordings.close())];
    if (faults.length > 0)
      throw new Error(`what was recorded is not what was sent:\n${faults.slice(0, 20).join('\n')}`);
    return answer;
  } finally {
    if (running) await gateway.stop();
    await gateway.remove();
  }
}
