import { stuckOrder } from '../../seed/shop.ts';
import type { Scene } from '../scene.ts';

const who = `SELECT c.name, c.email, c.phone, c.national_id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = ${stuckOrder}`;
const card = `SELECT card_brand, card_number, amount, currency, status FROM payments WHERE order_id = ${stuckOrder}`;
const sideways =
  "SELECT id, 'contact: ' || lower(email) AS contact, to_json(c) AS everything FROM customers c WHERE id <= 40";
const view = `SELECT order_id, name, email, status FROM customer_orders WHERE order_id = ${stuckOrder}`;

const secrets = ['email', 'phone', 'national_id', 'card_number'] as const;

export const customers: Scene = {
  name: 'customers',
  title: 'It reads customers, and gets masked values',
  async play({ agent, witness }, claim) {
    const person = await agent.act({ thought: `Who placed order ${stuckOrder}?`, sql: who });
    await agent.act({ thought: 'Was their card charged?', sql: card });
    await agent.act({ thought: 'The same through the view.', sql: view });
    await agent.act({ thought: 'Perhaps an expression gives me the plain addresses?', sql: sideways });

    const [name] = await witness.rows(who);
    const shown = person.kind === 'rows' ? person.rows[0] : undefined;
    claim('What is not labelled came through as it is', shown !== undefined && shown['name'] === name?.['name']);
    claim(
      'What is labelled came back changed',
      shown !== undefined && secrets.slice(0, 3).every((column) => shown[column] !== name?.[column]),
      JSON.stringify(shown),
    );
    const real = await witness.rows(
      'SELECT email AS value FROM customers UNION ALL SELECT phone FROM customers ' +
        'UNION ALL SELECT national_id FROM customers UNION ALL SELECT card_number FROM payments',
    );
    const heard = agent.heard().toLowerCase();
    const leaked = real.filter(({ value }) => typeof value === 'string' && heard.includes(value.toLowerCase()));
    claim(
      `None of the ${real.length} e-mail addresses, phone numbers, national ids and card numbers in the database reached it`,
      leaked.length === 0,
      `${leaked.length} did`,
    );
  },
};
