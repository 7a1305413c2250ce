/**
 * Names of prepared statements and portals, as the server will have them once it has read everything sent so far. A
 * change is entered when it is sent, because the next message may already rely on it, and taken back when the server
 * refuses it: the name then means again what it meant before.
 */
export class Names<T> {
  readonly #latest = new Map<string, Version<T>>();
  #epoch = 0;

  /** Increases with every change. */
  get epoch(): number {
    return this.#epoch;
  }

  get(name: string): T | undefined {
    return this.#live(name)?.value;
  }

  /** Whether the server may still refuse or skip what the name came to mean, or to mean nothing, by. */
  pending(name: string): boolean {
    return this.#live(name)?.settled === false;
  }

  /** `undefined` takes the name away. */
  set(name: string, value: T | undefined): NameChange {
    this.#epoch++;
    const previous = this.#live(name);
    const version: Version<T> = previous
      ? { value, dead: false, settled: false, previous }
      : { value, dead: false, settled: false };
    this.#latest.set(name, version);
    return {
      confirm: () => {
        delete version.previous;
        version.settled = true;
        if (value === undefined && this.#latest.get(name) === version) this.#latest.delete(name);
      },
      undo: () => {
        this.#epoch++;
        version.dead = true;
      },
    };
  }

  /** Takes away what the server has, but not what it was only sent so far. */
  dropSettled(keep: (value: T) => boolean): void {
    for (const [name, version] of this.#latest) {
      if (!version.settled || version.value === undefined || keep(version.value)) continue;
      this.#latest.delete(name);
      this.#epoch++;
    }
  }

  clear(): void {
    this.#epoch++;
    this.#latest.clear();
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

interface Version<T> {
  readonly value: T | undefined;
  dead: boolean;
  settled: boolean;
  previous?: Version<T>;
}
