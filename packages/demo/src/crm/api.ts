import type { Desk } from './desk.ts';

export interface Answer {
  readonly status: number;
  /** JSON; absent for none. */
  readonly body?: object;
}

const mostAtOnce = 50;

/** What the API answers to a request, changing the desk where it asks for that. */
export function answer(desk: Desk, method: string, { pathname, searchParams }: URL, body: string): Answer {
  const [version, collection, id, ...rest] = pathname.split('/').slice(1);
  if (version !== 'v1' || rest.length > 0) return problem(404, 'There is nothing here.');
  switch (`${method} ${collection}${id === undefined ? '' : '/:id'}`) {
    case 'GET customers': {
      const limit = Math.min(Number(searchParams.get('limit') ?? 10) || 10, mostAtOnce);
      return { status: 200, body: { customers: desk.find(searchParams.get('name') ?? '', limit) } };
    }
    case 'GET customers/:id': {
      const customer = desk.customer(Number(id));
      if (!customer) return problem(404, 'There is no such customer.');
      const tickets = desk.tickets.filter((ticket) => ticket.customer === customer.id);
      return { status: 200, body: { ...customer, tickets } };
    }
    case 'DELETE customers/:id':
      return desk.remove(Number(id)) ? { status: 204 } : problem(404, 'There is no such customer.');
    case 'GET tickets':
      return { status: 200, body: { tickets: desk.tickets.slice(-mostAtOnce) } };
    case 'POST tickets':
      return openTicket(desk, fieldsOf(body));
    case 'GET refunds':
      return { status: 200, body: { refunds: desk.refunds.slice(-mostAtOnce) } };
    case 'POST refunds':
      return refund(desk, fieldsOf(body));
    default:
      return problem(404, 'There is nothing here, or not with this method.');
  }
}

export function problem(status: number, title: string): Answer {
  return { status, body: { title, status } };
}

function openTicket(desk: Desk, fields: Readonly<Record<string, unknown>> | undefined): Answer {
  const { customer, subject } = fields ?? {};
  if (typeof customer !== 'number' || !desk.customer(customer)) return problem(422, 'customer: there is no such one.');
  if (typeof subject !== 'string' || subject === '') return problem(422, 'subject: say what it is about.');
  return { status: 201, body: desk.openTicket(customer, subject) };
}

function refund(desk: Desk, fields: Readonly<Record<string, unknown>> | undefined): Answer {
  const { order, amount, reason } = fields ?? {};
  if (typeof order !== 'number' || !Number.isSafeInteger(order)) return problem(422, 'order: which one?');
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount <= 0)
    return problem(422, 'amount: a whole number of cents above 0.');
  return { status: 201, body: desk.refund(order, amount, typeof reason === 'string' ? reason : '') };
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
