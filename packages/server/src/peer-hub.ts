import type { Log } from '@sluice/core/contract/connector.ts';
import type { PeerLine } from '@sluice/core/contract/control-plane.ts';

type Told = (connector: string, text: string) => void | Promise<void>;

/** Carries what an instance of a connector tells to its instances in the other processes. */
export class PeerHub {
  readonly #members = new Set<{ told: Told }>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  join(): PeerLine & { leave(): void } {
    const member: { told: Told } = { told: () => {} };
    this.#members.add(member);
    return {
      tell: async (connector, text) => {
        const others = [...this.#members].filter((other) => other !== member);
        await Promise.all(others.map((other) => this.#pass(other, connector, text)));
      },
      onTold: (callback) => {
        member.told = callback;
      },
      leave: () => void this.#members.delete(member),
    };
  }

  async #pass(member: { told: Told }, connector: string, text: string): Promise<void> {
    try {
      await member.told(connector, text);
    } catch (err) {
      // One that is gone has nothing left that could be out of date.
      this.#log.debug({ connector, err }, 'an instance of a connector was not told');
    }
  }
}
