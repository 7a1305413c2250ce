import { describe, expect, it } from 'vitest';
import { endpoints } from './endpoints.ts';
import { openApiDocument } from './openapi.ts';
import { type Route, routes } from './routes.ts';

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { required: boolean; content: Record<string, { schema: { properties: Record<string, unknown> } }> };
  responses: Record<string, { content: Record<string, unknown> }>;
}

const document = openApiDocument({ version: '1.2.3' }) as {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
};

const entries = Object.entries<Route>(routes);

function operation(route: Route): Operation {
  return document.paths[route.path]?.[route.method.toLowerCase()] as Operation;
}

describe('the OpenAPI document', () => {
  it('is plain JSON of version 3.1', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it.each(entries)('describes %s', (name, route) => {
    const described = operation(route);
    expect(described).toMatchObject({ operationId: name, summary: route.summary });
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const parameters = described.parameters ?? [];
    expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath);
    for (const one of parameters) expect(one.required).toBe(one.in === 'path');
    expect(described.requestBody === undefined).toBe(route.body === undefined);
    expect(Object.keys(described.responses)).toContain(String(route.status));
    if (route.caller.kind === 'public') expect(described.security).toEqual([]);
    else expect(Object.keys(described.responses)).toContain('401');
  });

  it('has every endpoint and no two under one address', () => {
    const addresses = Object.values(endpoints).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(addresses).size).toBe(addresses.length);
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(addresses.sort());
  });

  it('tells defaults from what must be given', () => {
    const body = operation(routes.issueAccessCredential).requestBody?.content['application/json']?.schema;
    expect(body).toMatchObject({ required: ['target'], additionalProperties: false });
    expect(operation(routes.approveAccessRequest).requestBody?.required).toBe(false);
  });
});
