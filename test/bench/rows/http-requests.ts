import { compareJson } from '../check/masked-json.ts';
import { type HttpMeasured, httpLoad } from '../load/http-load.ts';
import { interleave } from '../load/interleave.ts';
import { direct, type HttpPeer, type HttpWorld, proxy, sluice } from './http-world.ts';
import type { Row } from './row.ts';

function requests(connections: number): Row<HttpWorld> {
  return {
    id: `http-json-${connections}`,
    title: `HTTP requests, JSON masked, ${connections} connection${connections === 1 ? '' : 's'}`,
    what:
      `GET of 3 KiB of JSON, twenty customers, over ${connections} connection${connections === 1 ? '' : 's'} that stay ` +
      'open, each waiting for its answer: requests a second. The gateway masks two members of each customer; every answer ' +
      'of a turn is compared with its first.',
    unit: '/s',
    goal: { of: sluice, to: proxy, at: 'least', bound: 0.8 },
    quick: connections > 1,
    measure: async (world, settings) => {
      const shown = new Map<string, string>();
      let [sent, digest] = [0, ''];
      const run = async (peer: HttpPeer, seconds: number, most: number): Promise<HttpMeasured> => {
        const { who, ...where } = peer;
        const measured = await httpLoad({ ...where, connections, seconds, most });
        if ((shown.get(who) ?? measured.body) !== measured.body)
          throw new Error(`${who} gives another answer than before`);
        shown.set(who, measured.body);
        if (who === sluice) [sent, digest] = [sent + measured.requests, measured.digest];
        return measured;
      };
      const figures = await interleave(
        world.peers.map((peer) => ({
          who: peer.who,
          warmUp: () => run(peer, 600, settings.quick ? 500 : 10_000),
          turn: async () => {
            const { requests: made, milliseconds } = await run(peer, settings.seconds, Number.MAX_SAFE_INTEGER);
            return (made / milliseconds) * 1000;
          },
        })),
        settings,
      );
      const masked = compareJson(shown.get(direct) ?? '', shown.get(sluice) ?? '', ['email', 'phone']);
      world.ledger.sent({ by: 'crm', units: sent, contents: { times: sent, digest } });
      return { figures, notes: [`${masked} values are masked in each answer`] };
    },
  };
}

export const httpRequestsRows: readonly Row<HttpWorld>[] = [1, 32].map(requests);
