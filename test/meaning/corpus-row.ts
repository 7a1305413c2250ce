/** A query string, and one line for each statement in it; see `telling.ts`. */
export type Row = readonly [text: string, meaning: readonly string[]];
