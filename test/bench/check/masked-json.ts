/**
 * Compares two JSON texts, one from the target and one through the gateway: members with these names must differ, all else
 * must be the same. Gives the number of members that are masked; throws at the first value that is not as it must be,
 * without telling it.
 */
export function compareJson(clear: string, masked: string, hidden: readonly string[]): number {
  return compare(JSON.parse(clear), JSON.parse(masked), hidden, '', false);
}

function compare(clear: unknown, masked: unknown, hidden: readonly string[], at: string, hide: boolean): number {
  if (clear !== null && typeof clear === 'object') {
    if (masked === null || typeof masked !== 'object') throw new Error(`${at} has another form`);
    const [theirs, ours] = [Object.entries(clear), new Map(Object.entries(masked))];
    if (theirs.length !== ours.size) throw new Error(`${at} has other members`);
    return theirs.reduce(
      (sum, [name, value]) =>
        sum + compare(value, ours.get(name), hidden, `${at}/${name}`, hide || hidden.includes(name)),
      0,
    );
  }
  const shown = typeof masked === 'string' && typeof clear === 'string' ? masked.includes(clear) : masked === clear;
  if (hide && shown) throw new Error(`${at} is not masked`);
  if (!hide && masked !== clear) throw new Error(`${at} is not what the target has`);
  return hide ? 1 : 0;
}
