export interface CrmCustomer {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly tier: string;
}

export interface Ticket {
  readonly id: number;
  readonly customer: number;
  readonly subject: string;
  readonly state: 'open' | 'closed';
}

export interface Refund {
  readonly id: number;
  readonly order: number;
  /** In the smallest unit of the currency. */
  readonly amount: number;
  readonly reason: string;
}

/** Something that happened, for the stream. */
export interface DeskEvent {
  readonly id: number;
  readonly type: 'ticket.opened' | 'refund.made' | 'customer.deleted';
  readonly customer?: Pick<CrmCustomer, 'id' | 'name' | 'email'>;
  readonly text: string;
}

const subjects = ['Where is my order?', 'The teapot leaks', 'Charged, but still pending', 'Change of address'];

/** What customer service has on its desk, and how it changes. */
export class Desk {
  readonly tickets: Ticket[] = [];
  readonly refunds: Refund[] = [];
  readonly events: DeskEvent[] = [];
  readonly #customers: Map<number, CrmCustomer>;
  readonly #listeners = new Set<(event: DeskEvent) => void>();

  constructor(customers: readonly CrmCustomer[]) {
    this.#customers = new Map(customers.map((customer) => [customer.id, customer]));
    customers.slice(0, 12).forEach(({ id }, index) => {
      this.openTicket(id, subjects[index % subjects.length] ?? '');
    });
  }

  customer(id: number): CrmCustomer | undefined {
    return this.#customers.get(id);
  }

  /** Customers whose name contains the words, in any case. */
  find(words: string, limit: number): readonly CrmCustomer[] {
    const wanted = words.toLowerCase();
    const found: CrmCustomer[] = [];
    for (const customer of this.#customers.values()) {
      if (found.length >= limit) break;
      if (customer.name.toLowerCase().includes(wanted)) found.push(customer);
    }
    return found;
  }

  remove(id: number): boolean {
    const gone = this.#customers.delete(id);
    if (gone) this.#happened('customer.deleted', undefined, `customer ${id}`);
    return gone;
  }

  openTicket(customer: number, subject: string): Ticket {
    const ticket: Ticket = { id: this.tickets.length + 1, customer, subject, state: 'open' };
    this.tickets.push(ticket);
    this.#happened('ticket.opened', this.customer(customer), subject);
    return ticket;
  }

  refund(order: number, amount: number, reason: string): Refund {
    const refund: Refund = { id: this.refunds.length + 1, order, amount, reason };
    this.refunds.push(refund);
    this.#happened('refund.made', undefined, `order ${order}: ${amount}`);
    return refund;
  }

  /** Called for each event from now on; the answer ends that. */
  listen(listener: (event: DeskEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #happened(type: DeskEvent['type'], customer: CrmCustomer | undefined, text: string): void {
    const who = customer && { id: customer.id, name: customer.name, email: customer.email };
    const event: DeskEvent = { id: this.events.length + 1, type, ...(who ? { customer: who } : {}), text };
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
