/**
 * Texts that a connector has seen at a target and holds it to: kept for good, common to all gateways of one store. They
 * are no evidence (what was taken as a pin, and by whom, is in recordings), and no policy.
 */
export interface Pins {
  /** Everything that is pinned at a target, by name. */
  of(target: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Pins a text: where nothing is pinned under the name, or, with `instead`, where exactly that is. False, and nothing
   * changed, where it is otherwise: somebody else was first.
   */
  put(target: string, name: string, text: string, instead?: string): Promise<boolean>;
}
