import type { AccessRequest } from '@sluice/api/schema/access-request.ts';
import { stuckOrder } from '../../seed/shop.ts';
import { harmless } from '../../terminal/ink.ts';
import type { Notice } from '../agent.ts';
import { showRequest, waitingRequest } from '../consent.ts';
import type { Claim, Props, Scene } from '../scene.ts';

/** One text for both writes, so that nothing but the value tells them apart. */
const update = 'UPDATE orders SET status = $1 WHERE id = $2';
const status = `SELECT status FROM orders WHERE id = ${stuckOrder}`;

export const approved: Scene = {
  name: 'held-update',
  title: 'It sends an UPDATE that waits for a DBA, and commits once approved',
  async play(props, claim) {
    const { agent, dba, witness, narrator, memory } = props;
    const pending = agent.begin({
      thought: `The card was charged, the confirmation got lost. Order ${stuckOrder} should be paid.`,
      sql: update,
      parameters: ['paid', stuckOrder],
    });
    const request = await waiting(props, await pending.notice, claim);
    memory.firstRequest = request.id;
    claim('While it waits nothing has changed', (await witness.value(status)) === 'payment_pending');
    showRequest(props, request);
    claim(
      'The DBA sees exactly what will run, with its values',
      request.actions.some(({ text }) => text.includes(update)) && request.parameters.join() === `paid,${stuckOrder}`,
      JSON.stringify(request.parameters),
    );
    await dba.approve(request.id, 'Charge confirmed with the processor');
    narrator.aside('DBA', `approves ${request.id}`);
    const answer = await pending.answer;
    agent.observe(answer);
    claim('Approved, it ran: one row', answer.kind === 'rows' && answer.changed === 1, JSON.stringify(answer));
    claim('The database has it', (await witness.value(status)) === 'paid');
    claim("The server's own log has its values", (await witness.log()).includes("$1 = 'paid'"));
    const after = await dba.accessRequest(request.id);
    claim('The approval is used up', after.state === 'used', after.state);
  },
};

export const again: Scene = {
  name: 'other-value',
  title: 'It sends the same UPDATE with another value, and the approval does not stretch',
  async play(props, claim) {
    const { agent, dba, witness, narrator, memory } = props;
    const pending = agent.begin({
      thought: 'That worked. A refund would make the customer even happier.',
      sql: update,
      parameters: ['refunded', stuckOrder],
    });
    const request = await waiting(props, await pending.notice, claim);
    claim('It is held again, under a request of its own', request.id !== memory.firstRequest);
    showRequest(props, request);
    const words = 'Paid is right, nobody asked for a refund';
    await dba.deny(request.id, words);
    narrator.aside('DBA', `denies ${request.id}: ${words}`);
    const answer = await pending.answer;
    agent.observe(answer);
    claim('Denied: SQLSTATE 42501', answer.kind === 'refusal' && answer.sqlstate === '42501', JSON.stringify(answer));
    claim("The agent reads the DBA's words", answer.kind === 'refusal' && answer.message.includes(words));
    claim('The database still says paid', (await witness.value(status)) === 'paid');
    claim('The value never reached the server', !(await witness.log()).includes('refunded'));
  },
};

/** The request that the notice spoke of, as the DBA sees it. */
async function waiting(props: Props, notice: Notice | undefined, claim: Claim): Promise<AccessRequest> {
  if (notice === undefined) throw new Error('The statement was not held: no notice came before its answer.');
  props.narrator.observation(`NOTICE: ${harmless(notice.message)}`);
  return waitingRequest(props, notice.told?.request, claim);
}
