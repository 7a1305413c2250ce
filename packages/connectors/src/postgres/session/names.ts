/**
 * Names of prepared statements and portals, as the server will have them once it has read everything sent so far. A
 * change is entered when it is sent, because the next message may already rely on it, and taken back when the server
 * refuses it: the name then means again what it meant before.
 */
export class Names<T> {
  readonly #latest = new Map<string, Version<T>>();

  get(name: string): T | undefined {
    return this.#live(name)?.value;
  }

  /** Whether the server may still refuse or skip what the name came to mean, or to mean nothing, by. */
  pending(name: string): boolean {
    return this.#live(name)?.settled === false;
  }

  /** `undefined` takes the name away. */
  set(name: string, value: T | undefined): NameChange {
    const previous = this.#live(name);
    // The rule for the unnamed statement, which every simple query takes away: mostly there is none.
    if (value === undefined && previous === undefined) return noChange;
    const version = new Version(this, name, value, previous);
    this.#latest.set(name, version);
    return version;
  }

  /** Takes away what the server has, but not what it was only sent so far. */
  dropSettled(keep: (value: T) => boolean): void {
    if (this.#latest.size === 0) return;
    for (const [name, version] of this.#latest) {
      if (!version.settled || version.value === undefined || keep(version.value)) continue;
      this.#latest.delete(name);
    }
  }

  clear(): void {
    this.#latest.clear();
  }

  /** For its versions only. */
  settled(version: Version<T>): void {
    if (version.value === undefined && this.#latest.get(version.name) === version) this.#latest.delete(version.name);
  }

  #live(name: string): Version<T> | undefined {
    let version = this.#latest.get(name);
    while (version?.dead) version = version.previous;
    return version;
  }
}

export interface NameChange {
  /** The server has done it. */
  confirm(): void;
  /** The server has refused or skipped it. */
  undo(): void;
}

const noChange: NameChange = { confirm: () => {}, undo: () => {} };

/** What one name came to mean by one message. */
class Version<T> implements NameChange {
  readonly name: string;
  readonly value: T | undefined;
  readonly #names: Names<T>;
  previous: Version<T> | undefined;
  dead = false;
  settled = false;

  constructor(names: Names<T>, name: string, value: T | undefined, previous: Version<T> | undefined) {
    this.#names = names;
    this.name = name;
    this.value = value;
    this.previous = previous;
  }

  confirm(): void {
    this.previous = undefined;
    this.settled = true;
    this.#names.settled(this);
  }

  undo(): void {
    this.dead = true;
  }
}
