import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NameChange, Names } from './names.ts';

describe('names of statements and portals', () => {
  it('mean what was sent last, and again what they meant before when that is refused', () => {
    const names = new Names<string>();
    names.set('s', 'first').confirm();
    const second = names.set('s', 'second');
    expect(names.get('s')).toBe('second');
    second.undo();
    expect(names.get('s')).toBe('first');
  });

  it('skip everything refused, in whatever order the refusals arrive', () => {
    const names = new Names<string>();
    names.set('s', 'a').confirm();
    const b = names.set('s', 'b');
    const c = names.set('s', 'c');
    b.undo();
    expect(names.get('s')).toBe('c');
    c.undo();
    expect(names.get('s')).toBe('a');
  });

  it('agree with a server that confirms or refuses each change in order', () => {
    const step = fc.record({
      name: fc.constantFrom('', 's'),
      value: fc.option(fc.nat(9), { nil: undefined }),
      ok: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(5), (steps, lag) => {
        const names = new Names<number>();
        const server = new Map<string, number | undefined>();
        const pending: { change: NameChange; step: (typeof steps)[number] }[] = [];
        const settle = (): void => {
          const next = pending.shift();
          if (!next) return;
          if (next.step.ok) {
            next.change.confirm();
            server.set(next.step.name, next.step.value);
          } else next.change.undo();
        };
        for (const each of steps) {
          pending.push({ change: names.set(each.name, each.value), step: each });
          if (pending.length > lag) settle();
        }
        while (pending.length > 0) settle();
        for (const name of ['', 's']) expect(names.get(name)).toBe(server.get(name));
      }),
    );
  });
});
