/** One row as column names and values that PostgreSQL's JSON reader turns into the columns' own types. */
export type Row = Readonly<
  Record<string, string | number | boolean | null | Readonly<Record<string, string | number>>>
>;
