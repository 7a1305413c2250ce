import { generate } from './seed.ts';
import { stuckOrder } from './shop.ts';

export interface Shopfront {
  readonly customers: readonly {
    readonly id: number;
    readonly name: string;
    readonly email: string;
    readonly phone: string;
    readonly tier: string;
  }[];
  /** The newest orders with who placed them; the one that is stuck comes last. */
  readonly orders: readonly { readonly id: number; readonly email: string }[];
  /** Who placed the order that is stuck. */
  readonly stuck: { readonly id: number; readonly name: string; readonly email: string; readonly phone: string };
}

const shown = 40;

/** The same shop as in the database, as other systems of the company know it. */
export function shopfront(): Shopfront {
  const rows = generate(Date.now());
  const customers = rows['public.customers'].map((row) => ({
    id: Number(row['id']),
    name: String(row['name']),
    email: String(row['email']),
    phone: String(row['phone']),
    tier: String(row['loyalty_tier']),
  }));
  const byId = new Map(customers.map((customer) => [customer.id, customer]));
  const all = rows['public.orders'];
  const late = all.filter(({ id }) => id === stuckOrder);
  const stuck = byId.get(Number(late[0]?.['customer_id']));
  if (!stuck) throw new Error('Nobody placed the order that the story is about.');
  const orders = [...all.slice(-shown), ...late].map((row) => ({
    id: Number(row['id']),
    email: byId.get(Number(row['customer_id']))?.email ?? '',
  }));
  return { customers, orders, stuck };
}
