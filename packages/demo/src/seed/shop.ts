import { card } from './cards.ts';
import { person } from './people.ts';
import type { Random } from './random.ts';
import type { Row } from './row.ts';

const day = 24 * 60 * 60 * 1000;

const customerCount = 2000;
const orderCount = 6000;

/** The order that the open incident is about: its card was charged, but it still waits for payment. */
export const stuckOrder = 4217;

export interface Shop {
  readonly customers: readonly Row[];
  readonly products: readonly Row[];
  readonly orders: readonly Row[];
  readonly order_items: readonly Row[];
  readonly payments: readonly Row[];
}

interface Product {
  readonly id: number;
  readonly price: number;
}

/** `now` in Unix milliseconds: everything happened in the three years before it. */
export function shop(random: Random, now: number): Shop {
  const customers = Array.from({ length: customerCount }, (_, index) => customer(random, index + 1, now));
  const products = catalogue(random);
  const orders: Row[] = [];
  const items: Row[] = [];
  const payments: Row[] = [];
  for (let id = 1; id <= orderCount; id++) {
    // Ids follow time; the newest orders are a few minutes old.
    const placed = now - Math.round(((orderCount - id) / orderCount) * 700 * day) - random.int(2, 40) * 60_000;
    const lines = basket(random, id, products);
    const total = lines.reduce((sum, line) => sum + line.quantity * line.unit_price, 0);
    const status = id === stuckOrder ? 'payment_pending' : orderStatus(random, (now - placed) / day);
    const currency = random.pick(['EUR', 'USD', 'GBP', 'SEK', 'JPY']);
    orders.push({
      id,
      customer_id: random.int(1, customerCount),
      status,
      currency,
      total: total.toFixed(2),
      note: random.chance(0.04) ? random.pick(notes) : null,
      placed_at: iso(placed),
      updated_at: iso(Math.min(now, placed + random.int(0, 3 * day))),
    });
    items.push(...lines);
    payments.push(...attempts(random, { id, status, currency, total, placed }));
  }
  return {
    customers,
    products,
    orders,
    order_items: items,
    payments: payments.map((payment, index) => ({ id: index + 1, ...payment })),
  };
}

const notes: readonly [string, ...string[]] = [
  'Leave with the neighbour, please',
  'Gift: no invoice in the parcel',
  'Bitte klingeln, Hinterhaus',
  'Livrer après 18 h',
  '置き配希望',
];

function customer(random: Random, id: number, now: number): Row {
  return {
    id,
    ...person(random, id),
    loyalty_tier: random.pick(['basic', 'basic', 'basic', 'silver', 'silver', 'gold']),
    marketing_consent: random.chance(0.4),
    created_at: iso(now - 730 * day - random.int(0, 365 * day)),
  };
}

const categories = {
  tea: ['Sencha', 'Darjeeling First Flush', 'Lapsang Souchong', 'Rooibos', 'Jasmine Pearls', 'Earl Grey'],
  pottery: ['Raku Bowl', 'Tenmoku Cup', 'Celadon Teapot', 'Porcelain Gaiwan', 'Stoneware Jug'],
  kitchen: ['Cast-iron Kettle', 'Bamboo Whisk', 'Glass Infuser', 'Kitchen Scale', 'Honey Dipper'],
  books: ['The Book of Tea', 'Wild Herbs', 'Clay and Fire', 'A Year in Uji'],
} as const;

const sizes: readonly [string, ...string[]] = ['small', 'medium', 'large', 'gift box', 'set of 4', 'refill'];

function catalogue(random: Random): readonly (Row & Product)[] {
  const products: (Row & Product)[] = [];
  for (const [category, names] of Object.entries(categories)) {
    for (const name of names) {
      for (const size of sizes) {
        const id = products.length + 1;
        products.push({
          id,
          sku: `${category.slice(0, 3).toUpperCase()}-${String(id).padStart(4, '0')}`,
          name: `${name}, ${size}`,
          category,
          price: random.int(390, 8990) / 100,
          stock: random.int(0, 400),
        });
      }
    }
  }
  return products;
}

interface Line extends Row {
  readonly quantity: number;
  readonly unit_price: number;
}

function basket(random: Random, order: number, products: readonly Product[]): readonly Line[] {
  return Array.from({ length: random.int(1, 4) }, (_, index) => {
    const product = products[random.int(0, products.length - 1)];
    return {
      order_id: order,
      line: index + 1,
      product_id: product?.id ?? 1,
      quantity: random.pick([1, 1, 1, 2, 2, 3]),
      unit_price: product?.price ?? 1,
    };
  });
}

function orderStatus(random: Random, age: number): string {
  if (random.chance(0.05)) return random.pick(['cancelled', 'refunded']);
  if (age < 1) return random.pick(['payment_pending', 'paid', 'paid']);
  if (age < 5) return random.pick(['paid', 'shipped', 'shipped']);
  return 'delivered';
}

interface Charge {
  readonly id: number;
  readonly status: string;
  readonly currency: string;
  readonly total: number;
  readonly placed: number;
}

function attempts(random: Random, order: Charge): readonly Row[] {
  const used = card(random);
  const attempt = (status: string, after: number): Row => ({
    order_id: order.id,
    card_brand: used.brand,
    card_number: used.number,
    amount: order.total.toFixed(2),
    currency: order.currency,
    status,
    created_at: iso(order.placed + after),
  });
  if (order.id === stuckOrder) return [attempt('captured', 4_000)];
  const declined = random.chance(0.06) ? [attempt('declined', 2_000)] : [];
  if (order.status === 'cancelled') return declined;
  if (order.status === 'payment_pending') return [...declined, attempt('authorized', 4_000)];
  return [...declined, attempt(order.status === 'refunded' ? 'refunded' : 'captured', 5_000)];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
