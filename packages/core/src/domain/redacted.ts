const hidden = new WeakMap<Redacted, string>();

/** A secret that does not print: every way of turning it into text yields `[redacted]`. */
export class Redacted {
  constructor(secret: string) {
    hidden.set(this, secret);
  }

  /** The secret itself; call it only where the secret is used. */
  reveal(): string {
    return hidden.get(this) ?? '';
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  /** Node's `util.inspect` looks for this symbol. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]';
  }
}
