import type { ClientLink } from '@sluice/core/contract/link.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientOutput } from './client-output.ts';

/** A client whose system takes what is written at once, or later, or does not say. */
function linkThat(takes: { now: boolean } | undefined): { link: ClientLink; seen: () => string } {
  const taken: Buffer[] = [];
  const waiting: Uint8Array[] = [];
  const link = {
    write(bytes: Uint8Array) {
      waiting.push(bytes);
      if (takes?.now) for (const part of waiting.splice(0)) taken.push(Buffer.from(part));
      return true;
    },
    cork: () => {},
    uncork: () => {},
    get sent() {
      return takes && waiting.length === 0;
    },
  };
  return {
    link: link as unknown as ClientLink,
    seen() {
      for (const part of waiting.splice(0)) taken.push(Buffer.from(part));
      return Buffer.concat(taken).toString('latin1');
    },
  };
}

const said = fc.oneof(
  fc.record({ how: fc.constant('write'), size: fc.nat(3_000) }),
  fc.record({ how: fc.constant('pass'), size: fc.nat(3_000) }),
  fc.record({ how: fc.constant('rows'), size: fc.nat(120_000) }),
  fc.record({ how: fc.constant('nothing after all'), size: fc.nat(120_000) }),
  fc.record({ how: fc.constant('flush'), size: fc.constant(0) }),
);

describe('what clients are told', () => {
  test('is what was said to each, whoever takes it when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), said), { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        (all, slow) => {
          const takes = { now: true };
          const clients = [linkThat({ now: true }), linkThat(takes), linkThat(undefined)].map((client) => ({
            ...client,
            output: new ClientOutput(client.link),
            told: '',
          }));
          for (const [n, [who, { how, size }]] of all.entries()) {
            const client = clients[who];
            if (!client) continue;
            takes.now = slow[n % slow.length] ?? true;
            const bytes = Buffer.alloc(size, 97 + (n % 26));
            if (how === 'write') client.output.write(bytes);
            else if (how === 'pass') client.output.pass(bytes);
            else if (how === 'flush') client.output.flush();
            else {
              const to = client.output.writer(size);
              if (how === 'rows') to.bytes(bytes);
              else {
                const before = to.length;
                to.bytes(bytes).wrote(before);
              }
            }
            if (how !== 'flush' && how !== 'nothing after all') client.told += bytes.toString('latin1');
          }
          for (const { output } of clients) output.flush();
          for (const { seen, told } of clients) expect(seen() === told).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
