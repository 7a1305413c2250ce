import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { type DocumentNode, Kind, type OperationDefinitionNode, parse, type SelectionSetNode } from 'graphql';
import { badRequest } from './bad-request.ts';

/** One operation that a request asks for. */
export interface GraphqlOperation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** Empty where it has none. */
  readonly name: string;
  /** What it asks for at its top, through all fragments, by the fields' own names; sorted. */
  readonly fields: readonly string[];
  /** Somewhere in it a field is given another name. */
  readonly aliases: boolean;
}

const most = { batch: 20, tokens: 5_000, characters: 200_000, fields: 500 };
/** GraphQL over HTTP, "Request Parameters". */
const members = new Set(['query', 'operationName', 'variables', 'extensions']);

/** Operations in a parsed JSON body: one request or a batch of them. Throws for every other shape. */
export function graphqlInJson(json: Json): readonly GraphqlOperation[] {
  const requests = isArray(json) ? json : [json];
  if (requests.length === 0 || requests.length > most.batch) {
    throw badRequest(`A batch of GraphQL has between 1 and ${most.batch} requests.`);
  }
  return requests.map((request) => {
    if (!isObject(request)) throw badRequest('A request of GraphQL is an object.');
    for (const name of Object.keys(request)) {
      if (!members.has(name)) throw badRequest('A request of GraphQL has a member that is not understood.');
    }
    const { query, operationName = null, variables = null, extensions = null } = request;
    if (typeof query !== 'string')
      throw badRequest('A request of GraphQL needs its "query": none is kept by name or hash.');
    if (operationName !== null && typeof operationName !== 'string')
      throw badRequest('"operationName" must be a text.');
    if (variables !== null && !isObject(variables)) throw badRequest('"variables" must be an object.');
    if (extensions !== null && (!isObject(extensions) || Object.hasOwn(extensions, 'persistedQuery'))) {
      throw badRequest('"extensions" has something that is not understood.');
    }
    return operationIn(query, operationName === '' ? null : operationName);
  });
}

/** The operation of a GET: its parameters are those of a request, and it changes nothing. */
export function graphqlInQuery(parameters: ReadonlyMap<string, string>): GraphqlOperation {
  for (const name of parameters.keys()) {
    if (!members.has(name)) throw badRequest('A request of GraphQL has a parameter that is not understood.');
  }
  const query = parameters.get('query');
  if (query === undefined || parameters.has('extensions')) {
    throw badRequest('A request of GraphQL needs its "query", and no "extensions" in a GET.');
  }
  const operation = operationIn(query, parameters.get('operationName') || null);
  if (operation.kind !== 'query') throw badRequest('A GET can only be a query.');
  return operation;
}

/** The operation of a document that will be executed. */
export function operationIn(source: string, operationName: string | null): GraphqlOperation {
  if (source.length > most.characters)
    throw badRequest(`A GraphQL document has at most ${most.characters} characters.`);
  let document: DocumentNode;
  try {
    document = parse(source, { noLocation: true, maxTokens: most.tokens });
  } catch (cause) {
    throw badRequest('The GraphQL document does not parse, or is too large.', cause);
  }
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      if (fragments.has(definition.name.value)) throw badRequest('The GraphQL document has a fragment twice.');
      fragments.set(definition.name.value, definition.selectionSet);
    } else throw badRequest('The GraphQL document defines something else than operations and fragments.');
  }
  const names = operations.map(({ name }) => name?.value ?? '');
  if (new Set(names).size !== names.length) throw badRequest('The GraphQL document has an operation twice.');
  const chosen =
    operationName === null && operations.length === 1
      ? operations[0]
      : operations.find(({ name }) => name?.value === operationName);
  if (!chosen) throw badRequest('The GraphQL document does not say which of its operations is meant.');
  const fields = new Set<string>();
  collect(chosen.selectionSet, fragments, fields, new Set());
  if (fields.size > most.fields) throw badRequest(`A GraphQL operation asks for at most ${most.fields} fields.`);
  return {
    kind: chosen.operation,
    name: chosen.name?.value ?? '',
    fields: [...fields].sort(),
    aliases: operations.some(hasAlias) || [...fragments.values()].some((selectionSet) => hasAlias({ selectionSet })),
  };
}

function collect(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, SelectionSetNode>,
  fields: Set<string>,
  seen: Set<string>,
): void {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) fields.add(selection.name.value);
    else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, fragments, fields, seen);
    else {
      const name = selection.name.value;
      if (seen.has(name)) continue;
      seen.add(name);
      const fragment = fragments.get(name);
      if (!fragment) throw badRequest('The GraphQL document names a fragment that it does not have.');
      collect(fragment, fragments, fields, seen);
    }
  }
}

function hasAlias({ selectionSet }: { readonly selectionSet?: SelectionSetNode | undefined }): boolean {
  return (
    selectionSet?.selections.some(
      (selection) =>
        selection.kind !== Kind.FRAGMENT_SPREAD &&
        ((selection.kind === Kind.FIELD &&
          selection.alias !== undefined &&
          selection.alias.value !== selection.name.value) ||
          hasAlias(selection)),
    ) ?? false
  );
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
