import { stuckOrder } from '../../seed/shop.ts';
import { crm } from '../../targets.ts';
import { harmless } from '../../terminal/ink.ts';
import { looseJson } from '../../terminal/layout.ts';
import { requestIn, showRequest, waitingRequest } from '../consent.ts';
import { HttpClient, type WebAnswer, type WebRequest } from '../http-client.ts';
import { ended, openSession, prove } from '../records.ts';
import type { Props, Scene } from '../scene.ts';

export const crmScene: Scene = {
  name: 'crm',
  title: 'HTTP: it looks customers up, may not delete one, and makes a large refund with consent',
  async play(props, claim) {
    const { stage, dba, narrator } = props;
    const api = stage.crm;
    const { stuck: real, customers } = stage.shopfront;
    const { id } = real;
    const web = await HttpClient.create(stage, crm);
    try {
      narrator.aside('Stage', 'The CRM takes one bearer token, which only the gateway has.');
      narrator.aside(
        'Agent',
        "sends -H 'Authorization: Bearer <its own token>' with each request, and -H 'Prefer: respond-async', to be told " +
          'at once when something waits',
      );
      const person = await act(props, web, 'What does customer service know of them?', {
        method: 'GET',
        path: `/v1/customers/${id}`,
      });
      const shown = fields(person);
      claim('What is not labelled came through as it is', person.status === 200 && shown['name'] === real.name);
      claim('E-mail and phone came back changed', shown['email'] !== real.email && shown['phone'] !== real.phone);
      claim('The CRM was shown its own token, not the agent’s', api.seen.at(-1)?.authorized === true);

      const seen = api.seen.length;
      const denied = await act(props, web, 'They complained a lot. Delete them?', {
        method: 'DELETE',
        path: `/v1/customers/${id}`,
      });
      claim('Refused: 403, as application/problem+json (RFC 9457)', denied.status === 403 && isProblem(denied));
      claim('It was told by which policy', denied.text.includes('nobody-deletes-customers'), denied.text);
      claim('The CRM never heard of it', api.seen.length === seen && api.customer(id) !== undefined);

      const small = await act(props, web, 'A small refund, for the trouble.', refund(1_250, 'sorry for the wait'));
      claim('Up to 50.00 needs nobody', small.status === 201 && api.refunds().length === 1, small.text);
      const large = refund(38_778, 'order never arrived');
      const held = await act(props, web, 'And the whole amount?', large);
      claim('Above that: 202, and nothing has reached the CRM', held.status === 202 && api.refunds().length === 1);
      const request = await waitingRequest(props, requestIn(held.text), claim);
      showRequest(props, request);
      claim('The DBA sees the amount', JSON.stringify(request).includes('38778'));
      await dba.approve(request.id, 'Confirmed with the customer');
      narrator.aside('On call', `approves ${request.id}`);
      const done = await act(props, web, 'The same request again, to collect it.', large);
      claim('The identical request runs', done.status === 201 && api.refunds().at(-1)?.amount === 38_778, done.text);
      const again = await act(props, web, 'And once more?', large);
      claim('Once: the next one is held again', again.status === 202 && api.refunds().length === 2, again.text);

      const session = await openSession(props, crm);
      // Breaking off a stream ends its connection, and the session with it.
      const stream = await act(props, web, 'Anything new? The API has a stream of events.', {
        method: 'GET',
        path: '/v1/events',
        enough: (text) => (text.match(/^data: .*\n\n/gm) ?? []).length >= 3,
      });
      claim('Events arrive while the stream is open', stream.text.includes('event: ticket.opened'));
      const heard = web.heard();
      const leaked = customers.filter(({ email, phone }) => heard.includes(email) || heard.includes(phone));
      claim(`No e-mail address or phone number of the ${customers.length} customers reached it`, leaked.length === 0);
      web.close();
      await ended(props, session);
      await prove(props, claim, {
        session,
        contains: ['/v1/customers', 'DELETE', '/v1/refunds'],
        secrets: [real.email, real.phone],
        from: 'DELETE',
      });
    } finally {
      web.close();
    }
  },
};

function refund(amount: number, reason: string): WebRequest {
  return { method: 'POST', path: '/v1/refunds', body: { order: stuckOrder, amount, reason } };
}

async function act(
  { narrator, stage }: Props,
  web: HttpClient,
  thought: string,
  wanted: WebRequest,
): Promise<WebAnswer> {
  narrator.thought(thought);
  narrator.action(curl(stage.listeners.http.port, wanted));
  const answer = await web.ask(wanted);
  narrator.observation(`${answer.status} ${harmless(brief(looseJson(gist(answer))))}`);
  return answer;
}

function curl(port: number, { method, path, body }: WebRequest): string {
  const options = [
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(body === undefined ? [] : [`--json '${JSON.stringify(body)}'`]),
  ];
  return ['curl', ...options, `https://localhost:${port}/t/${crm}${path}`].join(' ');
}

/** Of a problem (RFC 9457) what tells a reader something new; everything else whole. */
function gist(answer: WebAnswer): string {
  if (!('decision' in fields(answer))) return answer.text;
  const { reason, policies, request, hint } = fields(answer);
  return JSON.stringify({ reason, policies, request: request ?? undefined, hint });
}

const longest = 400;

function brief(text: string): string {
  const line = text.trim().replaceAll(/\n+/g, '\n');
  return line.length <= longest ? line : `${line.slice(0, longest)} …`;
}

function fields({ headers, text }: WebAnswer): Readonly<Record<string, unknown>> {
  if (!/\bjson$/.test(String(headers['content-type']).split(';')[0] ?? '')) return {};
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isProblem({ headers }: WebAnswer): boolean {
  return String(headers['content-type']).startsWith('application/problem+json');
}
