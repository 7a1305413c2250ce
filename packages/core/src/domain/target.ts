/** A configured upstream thing, as policy and people see it: no address, no credential. */
export interface Target {
  readonly name: string;
  /** Id of the connector that speaks to it. */
  readonly connector: string;
  readonly tags: readonly string[];
}
