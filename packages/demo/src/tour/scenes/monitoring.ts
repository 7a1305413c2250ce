import type { Scene } from '../scene.ts';

const incidents = 'SELECT service, severity, title FROM monitoring.incidents WHERE resolved_at IS NULL';
const summary = 'SELECT summary FROM monitoring.incidents WHERE resolved_at IS NULL';
const latency =
  "SELECT at, value FROM monitoring.metrics WHERE service = 'checkout' AND metric = 'latency_p95_ms' ORDER BY at DESC LIMIT 3";

export const monitoring: Scene = {
  name: 'monitoring',
  title: 'The agent reads monitoring data',
  async play({ agent, witness }, claim) {
    const seen = [
      [
        incidents,
        await agent.act({ thought: 'Customers wait for paid orders. Is there an open incident?', sql: incidents }),
      ],
      [latency, await agent.act({ thought: 'Checkout. How slow is it right now?', sql: latency })],
      [summary, await agent.act({ thought: 'Is a particular order known to be affected?', sql: summary })],
    ] as const;
    for (const [sql, observation] of seen) {
      const direct = JSON.stringify(await witness.rows(sql));
      const got = observation.kind === 'rows' ? JSON.stringify(observation.rows) : observation.message;
      claim(`It got what the database holds (${tableOf(sql)})`, got === direct, got);
    }
    const log = await witness.log();
    claim('The server logged its statements word for word', log.includes(`${latency} /*intent=`));
  },
};

function tableOf(sql: string): string {
  return /FROM (\S+)/.exec(sql)?.[1] ?? sql;
}
