/** How much is measured, and where to say how far it is. */
export interface Settings {
  /** Two minutes in all instead of good figures. */
  readonly quick: boolean;
  /** How often each peer has its turn in a row. */
  readonly rounds: number;
  /** How long one turn is. */
  readonly seconds: number;
  /** How long the soak takes. */
  readonly soakMinutes: number;
  /** Folder for CPU profiles of the gateway's process; absent: none are made. */
  readonly cpuProfile?: string;
  /** Tells how far things are; for people who wait. */
  progress(text: string): void;
}
