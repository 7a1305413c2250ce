import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Pins } from '@sluice/core/contract/pins.ts';
import type { Store } from './store-port.ts';

export function pinRows(store: Store, clock: Pick<Clock, 'now'>): Pins {
  const { db } = store;
  return {
    async of(target) {
      const rows = await db.selectFrom('pins').select(['name', 'body']).where('target', '=', target).execute();
      return new Map(rows.map(({ name, body }) => [name, body]));
    },
    async put(target, name, body, instead) {
      const pinned_at = clock.now();
      if (instead === undefined) {
        const inserted = await db
          .insertInto('pins')
          .values({ target, name, body, pinned_at })
          .onConflict((conflict) => conflict.columns(['target', 'name']).doNothing())
          .executeTakeFirst();
        return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
      }
      const updated = await db
        .updateTable('pins')
        .set({ body, pinned_at })
        .where('target', '=', target)
        .where('name', '=', name)
        .where('body', '=', instead)
        .executeTakeFirst();
      return updated.numUpdatedRows > 0n;
    },
  };
}
