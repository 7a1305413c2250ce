import type { Explanation } from './explain.ts';

/** More than this tells nobody anything. */
const mostNamed = 3;

/**
 * What is nearest to being permitted, for whoever was refused: permits for the same verb that speak of this principal and
 * lack one thing only. The place they permit is named as written; a condition that does not hold is not, since it may
 * say more than its reader should know.
 */
export function nearestPermit({ resources, target }: Explanation): string | undefined {
  const near = resources
    .filter(({ effect }) => effect === 'deny')
    .flatMap(({ nearly }) => nearly)
    .filter(({ effect, status }) => effect === 'permit' && status === 'enforce');
  const places = near
    .filter(({ part, wants }) => part === 'resource' && wants.some((want) => canLieIn(target, want)))
    .map(({ policy, wants }) => `policy "${policy}" permits it for ${oneLine(wants.join(', '))}`);
  const conditions = near
    .filter(({ part }) => part === 'condition')
    .map(({ policy }) => `policy "${policy}" permits it under a condition that does not hold here`);
  const all = [...new Set([...places, ...conditions])].slice(0, mostNamed);
  return all.length === 0 ? undefined : `Nearest to it: ${all.join('; ')}.`;
}

/** A place at another target is no way for who asks at this one. Tags and types without an id may be anywhere. */
function canLieIn(target: string, want: string): boolean {
  const named = [...want.matchAll(/(\w+)::"((?:[^"\\]|\\.)*)"/g)].filter(([, type]) => type !== 'Tag');
  return named.length === 0 || named.some(([, , id = '']) => id === target || id.startsWith(`${target}/`));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}
