import type { Node, RangeVar } from 'libpg-query';

/**
 * Typed access to the parse tree, which is JSON as protobuf writes it: a node is an object with one capitalised key, and
 * whatever is zero, false or empty is left out.
 */
type KeyOf<T> = T extends T ? keyof T : never;
export type NodeKind = KeyOf<Node>;
export type Body<K extends NodeKind> = Extract<Node, Readonly<Record<K, unknown>>>[K];

export type { Node, RangeVar };

export function kindOf(node: Node): NodeKind {
  for (const key in node) return key as NodeKind;
  throw new TypeError('a parse node without a kind');
}

/** The node's content if it is of this kind. */
export function as<K extends NodeKind>(node: Node | undefined, kind: K): Body<K> | undefined {
  if (node === undefined || !(kind in node)) return undefined;
  return (node as unknown as Readonly<Record<K, Body<K>>>)[kind];
}

/**
 * Every object of a tree, from the root down: nodes, and the bodies and fields of nodes. The value of a constant is not
 * looked at, as nothing lies below it. Nor does it go below what `stopsAt` is true of.
 */
export function objectsBelow(root: unknown, stopsAt: (value: object) => boolean = () => false): readonly object[] {
  const found: object[] = [];
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    found.push(value);
    if ('A_Const' in value || stopsAt(value)) continue;
    for (const child of Object.values(value)) waiting.push(child);
  }
  return found;
}

/** The texts of a list of String nodes: a qualified name, a list of columns. */
export function strings(list: readonly Node[] | undefined): readonly string[] {
  return (list ?? []).flatMap((node) => {
    const string = as(node, 'String');
    return string === undefined ? [] : [string.sval ?? ''];
  });
}

/** The members of a List node; a node that is no list is its own only member. */
export function items(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  const list = as(node, 'List');
  return list === undefined ? [node] : (list.items ?? []);
}

export function lastOf<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1];
}

/** The text of a name-like option value: String, a type name's last part, or a constant. */
export function optionText(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  const string = as(node, 'String');
  if (string !== undefined) return string.sval ?? '';
  const integer = as(node, 'Integer');
  if (integer !== undefined) return String(integer.ival ?? 0);
  const boolean = as(node, 'Boolean');
  if (boolean !== undefined) return boolean.boolval === true ? 'true' : 'false';
  const float = as(node, 'Float');
  if (float !== undefined) return float.fval ?? '';
  const type = as(node, 'TypeName');
  if (type !== undefined) return lastOf(strings(type.names));
  const constant = as(node, 'A_Const');
  if (constant?.sval !== undefined) return constant.sval.sval ?? '';
  if (constant?.ival !== undefined) return String(constant.ival.ival ?? 0);
  if (constant?.fval !== undefined) return constant.fval.fval ?? '';
  if (constant?.boolval !== undefined) return constant.boolval.boolval === true ? 'true' : 'false';
  return undefined;
}
