import type { Pins } from '@sluice/core/contract/pins.ts';

/** Pins that are forgotten with the process: for connectors that are only asked what a text means. */
export function memoryPins(): Pins {
  const targets = new Map<string, Map<string, string>>();
  return {
    of: (target) => Promise.resolve(new Map(targets.get(target))),
    put(target, name, text, instead) {
      const pins = targets.get(target) ?? new Map<string, string>();
      if (pins.get(name) !== instead) return Promise.resolve(false);
      targets.set(target, pins.set(name, text));
      return Promise.resolve(true);
    },
  };
}
