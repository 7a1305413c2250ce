import { joinAllLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { CatalogFunction } from '../catalog/catalog.ts';
import type { Node } from './ast.ts';
import { as } from './ast.ts';
import { typeOid, type Value } from './env.ts';

/**
 * Functions that may be given labelled values where their result is masked. They never fail because of the value, and
 * what they give is of a size that does not depend on its content: a client that makes a large answer out of a small
 * difference would learn the difference from a limit of the server. With any other function, whether it fails, how long
 * it takes or how many rows it makes answers a question.
 */
const transparent: ReadonlySet<string> = new Set(
  `upper lower initcap trim btrim ltrim rtrim left right substr substring reverse concat
  concat_ws quote_ident quote_literal quote_nullable format md5 sha224 sha256 sha384 sha512 length char_length
  character_length octet_length bit_length to_json to_jsonb row_to_json array_to_json json_build_object
  jsonb_build_object json_build_array jsonb_build_array json_agg jsonb_agg json_agg_strict jsonb_agg_strict array_agg
  string_agg xmlagg count sum avg array_to_string array_append array_prepend array_cat array_length cardinality
  first_value last_value nth_value lag lead pg_typeof pg_column_size to_char unaccent coalesce json_strip_nulls
  jsonb_strip_nulls jsonb_pretty text varchar bpchar name`.split(/\s+/),
);

/** Arguments that steer how much or what comes back, from this position on. */
const steeringFrom: Readonly<Record<string, number>> = {
  left: 1,
  right: 1,
  substr: 1,
  substring: 1,
  nth_value: 1,
  to_char: 1,
};

const steeringOnly: Readonly<Record<string, number>> = { lag: 1, lead: 1, format: 0 };

/** Cut off what their second argument says, and so give more or less of it by content. */
const trimming: ReadonlySet<string> = new Set(['trim', 'btrim', 'ltrim', 'rtrim']);

const integers: ReadonlySet<number> = new Set([typeOid.integer, typeOid.bigint, 21]);

/** The name alone: for calls in the notation of columns, which have one argument. */
export function isTransparent(name: string): boolean {
  return transparent.has(name);
}

/** Labels of the arguments about which calling this tells more than a masked result does. */
export function tellsAbout(
  one: Pick<CatalogFunction, 'name'>,
  nodes: readonly Node[],
  args: readonly Value[],
  given: Labels,
): Labels {
  if (given.length === 0) return noLabels;
  const { name } = one;
  if (!transparent.has(name)) return given;
  if (trimming.has(name) && args.length > 1) return given;
  // substring(text, text) takes a regular expression.
  if (name === 'substring' && !integers.has(args[1]?.type ?? typeOid.unknownYet)) return given;
  if (name === 'format' && variableWidth(nodes[0])) return given;
  const only = Object.hasOwn(steeringOnly, name) ? steeringOnly[name] : undefined;
  if (only !== undefined) return args[only]?.labels ?? noLabels;
  const from = Object.hasOwn(steeringFrom, name) ? steeringFrom[name] : undefined;
  return from === undefined ? noLabels : joinAllLabels(args.slice(from).map((arg) => arg.labels));
}

/** `%*s` pads to as many characters as an argument says. */
function variableWidth(node: Node | undefined): boolean {
  const text = as(node, 'A_Const')?.sval?.sval;
  return text === undefined || text.includes('*');
}
