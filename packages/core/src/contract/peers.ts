/**
 * For what a connector knows that its instance in another process of the same gateway must know as well: that names at a
 * target have changed, that a client asks to stop what runs elsewhere. It is no place for decisions, and there is no
 * answer. Texts stay within the gateway.
 */
export interface Peers {
  /** Resolves when every other instance has dealt with it or is gone. Never rejects. */
  tell(text: string): Promise<void>;
  /** Called with what others tell; throws nothing. */
  onTold(callback: (text: string) => void): void;
}
