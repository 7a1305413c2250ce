/**
 * In-process proof that one unit was decided. Only the pipeline can make one (the constructor is kept there); it is
 * good for one unit in one session, and once.
 */
export interface Permit {
  readonly unit: number;
  readonly session: string;
}
