/** The OpenAPI 3.1 document of the table in routes.ts. Its schemas are JSON Schema 2020-12, which 3.1 takes as they are. */
import { z } from 'zod';
import { describeCaller } from './caller.ts';
import { statusOf } from './error-code.ts';
import { type Route, routes } from './routes.ts';
import { ErrorBody } from './schema/error.ts';

type Json = Record<string, unknown>;

export function openApiDocument(options: { readonly version: string }): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    const item = paths[route.path] ?? {};
    item[route.method.toLowerCase()] = operation(name, route);
    paths[route.path] = item;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version: options.version,
      description:
        'The HTTP API of the gateway itself. Send an OIDC token as `Authorization: Bearer`; over plain HTTP it is taken from the same machine only.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Error: jsonSchema(ErrorBody, 'output') },
    },
    security: [{ bearer: [] }],
  };
}

function operation(name: string, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    description: `May be called by: ${describeCaller(route.caller)}.`,
    ...(route.caller.kind === 'public' ? { security: [] } : {}),
    ...parameters(route),
    ...(route.body
      ? {
          requestBody: {
            required: route.bodyOptional !== true,
            content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
          },
        }
      : {}),
    responses: { ...answers(route), ...refusals(route) },
  };
}

function parameters(route: Route): Json {
  const list = [...parametersIn('path', route.params), ...parametersIn('query', route.query)];
  return list.length > 0 ? { parameters: list } : {};
}

function parametersIn(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function answers(route: Route): Json {
  const content: Json = {};
  if (route.response) content['application/json'] = { schema: jsonSchema(route.response, 'output') };
  for (const media of route.streams ?? []) content[media] = {};
  const answer = { description: route.summary, content };
  return Object.fromEntries([route.status, ...(route.alsoStatus ?? [])].map((status) => [status, answer]));
}

function refusals(route: Route): Json {
  const statuses = new Set<number>([400, 404, 429, 500]);
  if (route.caller.kind !== 'public') statuses.add(401).add(403);
  if (route.method === 'POST') statuses.add(409).add(413).add(415);
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries([...statuses].sort().map((status) => [status, { description: codesFor(status), content }]));
}

function codesFor(status: number): string {
  return Object.entries(statusOf)
    .filter(([, value]) => value === status)
    .map(([code]) => `\`${code}\``)
    .join(', ');
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', reused: 'inline' }) as Json;
  return rest;
}
