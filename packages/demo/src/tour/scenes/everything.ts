import { stuckOrder } from '../../seed/shop.ts';
import { buildHost, crm, shop } from '../../targets.ts';
import { sluice } from '../command.ts';
import { requestIn, showRequest, waitingRequest } from '../consent.ts';
import { McpClient } from '../mcp-client.ts';
import { ReactAgent } from '../react-agent.ts';
import { excerpt } from '../records.ts';
import type { Claim, Props, Scene } from '../scene.ts';

export const everythingScene: Scene = {
  name: 'everything-over-mcp',
  title: 'All of it over MCP: an agent that knows one address and the tools it finds there',
  async play(props, claim) {
    const { stage, narrator } = props;
    const { customers } = stage.shopfront;
    const mcp = await McpClient.connect(stage, '/mcp');
    const agent = new ReactAgent(mcp, narrator);
    try {
      narrator.aside('Agent', `finds these tools: ${(await mcp.tools()).join(', ')}`);
      await lookAround(props, agent, claim);
      await learn(props, agent, claim);
      const mine = await agent.act('What have I done today?', 'list_my_sessions', {});
      claim(
        'It can look its own sessions up',
        [shop, buildHost, crm].every((name) => mine.text.includes(name)),
      );

      const heard = mcp.heard();
      const leaked = customers.filter(({ email, phone }) => heard.includes(email) || heard.includes(phone));
      claim(`No e-mail address or phone number of the ${customers.length} customers reached it`, leaked.length === 0);
      const verified = await sluice(stage, 'audit', 'verify', stage.at.root);
      narrator.aside('Auditor', 'npx sluice audit verify .');
      narrator.output(excerpt(verified.out));
      claim('Every recording of this tour verifies, and so does the journal', verified.code === 0, verified.err);
    } finally {
      await mcp.close();
    }
  },
};

/** One thing of each kind that there is to reach. */
async function lookAround({ stage }: Props, agent: ReactAgent, claim: Claim): Promise<void> {
  const { stuck } = stage.shopfront;
  const targets = await agent.act('What can I reach?', 'list_targets', {});
  claim(
    'It sees the targets that policy lets it connect to',
    [shop, buildHost, crm].every((name) => targets.text.includes(name)),
    targets.text,
  );
  const described = await agent.act('Where are orders?', 'describe', { target: shop, filter: 'public.orders' });
  claim('The schema, with what will be masked, as this principal may see it', described.text.includes('customer_id'));
  const rows = await agent.act('Who waits for which order?', 'query', {
    target: shop,
    sql: 'SELECT o.status, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1',
    parameters: [stuckOrder],
  });
  claim('Rows, masked', rows.text.includes(stuck.name) && !rows.text.includes(stuck.email), rows.text);
  const log = await agent.act('How many errors does checkout log?', 'run', {
    target: buildHost,
    command: 'grep -c ERROR logs/checkout.log',
  });
  claim('A command on the host', /\b3\b/.test(log.text) && !log.isError, log.text);
  const person = await agent.act('Who is it, for customer service?', 'request', {
    target: crm,
    method: 'GET',
    path: `/v1/customers/${stuck.id}`,
  });
  claim('A request to the API', person.text.includes(stuck.name), person.text);
}

/** A denial from which it can tell what to do, and a hold that it does not have to keep a connection open for. */
async function learn(props: Props, agent: ReactAgent, claim: Claim): Promise<void> {
  const { dba, witness, narrator } = props;
  const denied = await agent.act('I note on the order that somebody is on it.', 'query', {
    target: shop,
    sql: "UPDATE orders SET note = 'somebody is on it'",
  });
  claim(
    'A denial that teaches: reason and policy',
    denied.isError && denied.text.includes('no-unbounded-changes'),
    denied.text,
  );
  const note = 'Somebody is on it, see the ticket';
  const sql = 'UPDATE orders SET note = $1 WHERE id = $2';
  const given = { target: shop, sql, parameters: [note, stuckOrder] };
  const held = await agent.act('It needs a WHERE. Of course: one order.', 'query', given);
  const request = await waitingRequest(props, requestIn(held.text), claim);
  claim('It is told at once, and that nothing was done', held.isError && /"pending"/.test(held.text), held.text);
  claim('Its intent is before the people who are asked', request.run?.intent?.includes('one order') === true);
  showRequest(props, request);
  await dba.approve(request.id, 'Fine');
  narrator.aside('DBA', `approves ${request.id}`);
  const done = await agent.act('The identical call again, to collect it.', 'query', given);
  claim('It ran, once', !done.isError && done.text.includes('UPDATE 1'), done.text);
  const stored = await witness.value('SELECT note FROM orders WHERE id = $1', [stuckOrder]);
  claim('The database has it', stored === note, String(stored));
}
