/** What an agent's client *claims* about its reasoning: shown, searchable, able to narrow a decision, never to widen it. */
export interface RunContext {
  readonly run?: string;
  readonly step?: string;
  readonly toolCall?: string;
  readonly intent?: string;
  readonly traceparent?: string;
}
