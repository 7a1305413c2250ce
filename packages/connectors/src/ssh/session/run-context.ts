import type { RunContext } from '@sluice/core/domain/run.ts';

/** Variables by which a client says what it is about. They are claims for us, and none of the target's business. */
const claims: ReadonlyMap<string, keyof RunContext> = new Map([
  ['SLUICE_RUN', 'run'],
  ['SLUICE_STEP', 'step'],
  ['SLUICE_TOOL_CALL', 'toolCall'],
  ['SLUICE_INTENT', 'intent'],
  ['TRACEPARENT', 'traceparent'],
]);

const longestValue = 512;
/** As many as there are categories of a locale, and some to spare. */
const mostPassed = 32;
/** Names that are passed on: what language a program speaks. Anything else could change which program runs, or how. */
const passed = /^(LANG|LANGUAGE|LC_[A-Z]{1,20})$/;
const passedValue = /^[A-Za-z0-9_.@:-]{0,128}$/;

/** What a channel's `env` requests (RFC 4254 section 6.4) said before anything was started on it. */
export class ClientEnvironment {
  readonly #passed = new Map<string, string>();
  readonly #claims: { -readonly [K in keyof RunContext]: RunContext[K] } = {};

  /** False for a variable that is not taken. */
  set(name: string, value: string): boolean {
    const claim = claims.get(name);
    if (claim) {
      this.#claims[claim] = storable(value.slice(0, longestValue));
      return true;
    }
    if (!passed.test(name) || !passedValue.test(value)) return false;
    if (this.#passed.size >= mostPassed && !this.#passed.has(name)) return false;
    this.#passed.set(name, value);
    return true;
  }

  get passed(): ReadonlyMap<string, string> {
    return this.#passed;
  }

  get run(): RunContext | undefined {
    return Object.keys(this.#claims).length > 0 ? { ...this.#claims } : undefined;
  }
}

/** Text that every store and every encoding takes: no NUL, no half of a character. */
function storable(text: string): string {
  return text.replace(/\0|\p{Cs}/gu, '\ufffd');
}
