import type { Unit } from '@sluice/core/domain/unit.ts';

/** Asks whether the answer to a unit may be given although nothing can be masked in it. */
export function opaqueUnit(unit: Unit, type: string): Unit {
  const [first] = unit.actions;
  if (!first) throw new Error('a request has an action');
  const [line = ''] = first.text.split('\n');
  return {
    ...unit,
    name: 'answer',
    bytes: [],
    actions: [
      {
        verb: 'http:opaque',
        access: 'read',
        resources: first.resources,
        text: `${line}\n-> ${type === '' ? 'an answer of no known type' : type}`,
        context: { ...first.context, answer_type: type },
      },
    ],
    binding: { ...unit.binding, answer: type },
  };
}
