export interface Runbook {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

export interface ShelfTicket {
  readonly id: number;
  readonly title: string;
  readonly severity: string;
}

const runbooks: readonly Runbook[] = [
  {
    name: 'payments-stuck',
    title: 'Paid orders stay in payment_pending',
    text: `Questions to payments-oncall@example.com, +44 7700 900123.
Confirmations from the payment provider queue up when checkout holds an old key.
1. Look at logs/checkout.log on build-host for "401" and "queue is full".
2. Restart checkout on build-host: svc restart checkout. This needs consent.
3. Set single orders to paid once the charge is confirmed. A DBA agrees to each.
`,
  },
  {
    name: 'deploys',
    title: 'Deploying, and taking a deploy back',
    text: `deploy VERSION on build-host, then watch the error rate for ten minutes. To take it back, deploy the version before.
Escalate to release-captain@example.com.
`,
  },
  {
    name: 'refunds',
    title: 'Refunds that customer service may make',
    text: `Up to 50.00 without asking. Above that, customer service's lead agrees first.
Never delete a customer to make a complaint go away.
`,
  },
];

/** Runbooks, which stay as they are, and tickets, which live as long as the process. */
export class Shelf {
  readonly runbooks = runbooks;
  readonly #tickets = new Map<number, ShelfTicket>();
  #last = 0;

  get tickets(): readonly ShelfTicket[] {
    return [...this.#tickets.values()];
  }

  /** Runbooks that contain each of the words, in any case. */
  search(words: string): readonly Runbook[] {
    const wanted = words.toLowerCase().split(/\s+/);
    return this.runbooks.filter(({ title, text }) => {
      const all = `${title}\n${text}`.toLowerCase();
      return wanted.every((word) => all.includes(word));
    });
  }

  open(title: string, severity: string): ShelfTicket {
    this.#last += 1;
    const ticket = { id: this.#last, title, severity };
    this.#tickets.set(ticket.id, ticket);
    return ticket;
  }

  remove(id: number): boolean {
    return this.#tickets.delete(id);
  }
}
