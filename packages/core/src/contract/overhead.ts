/** What the gateway itself spends on a unit, by stage. */
export type Stage =
  /** Finding out what the client's bytes mean. */
  | 'parse'
  /** Policy, and the rest of the order. */
  | 'decide'
  /** Masking an answer, and copying it into the recording. */
  | 'mask'
  /** Handing the recording to the operating system before anything takes effect. */
  | 'record';

export const stages: readonly Stage[] = ['parse', 'decide', 'mask', 'record'];

export interface Overhead {
  /** Microseconds from any start; never runs backwards. */
  micros(): number;
  /** Adds to what was observed. Cheap, and never throws. */
  spent(connector: string, stage: Stage, micros: number): void;
}
