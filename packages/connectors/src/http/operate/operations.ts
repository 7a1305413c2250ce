import type { OperationDeclaration } from '@sluice/core/contract/operations.ts';

/** Longest body of an answer that an operation gives back, in bytes; what is beyond is cut off, and the answer says so. */
export const answerBytes = 256 * 1024;

/** What can be asked of an HTTP API by callers that do not speak HTTP here. */
export const httpOperations: readonly OperationDeclaration[] = [
  {
    name: 'request',
    title: 'Send a request to an HTTP API',
    doc: `Sends one request to the HTTP API of a target and returns its answer. The API's own credential is added on the way: send none. "path" begins with "/" and is below the target; put parameters into "query". A JSON answer comes as "body", text as "text"; values that you may not see are masked: never write a mask back. At most ${answerBytes / 1024} KiB of text come back; when "truncated" is true, ask for less at a time. Example: {"method": "GET", "path": "/v1/customers", "query": {"limit": "20"}}`,
    input: {
      type: 'object',
      properties: {
        method: { type: 'string', enum: ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] },
        path: {
          type: 'string',
          minLength: 1,
          maxLength: 8_192,
          description: 'Path below the target, like /v1/customers/42.',
        },
        query: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'Parameters of the query, not encoded.',
        },
        headers: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'Header fields such as Accept or If-Match; only those that the target takes are passed on.',
        },
        body: { description: 'A JSON body, for POST, PUT, PATCH and DELETE.' },
      },
      required: ['method', 'path'],
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: {
        status: { type: 'integer' },
        headers: { type: 'object', additionalProperties: { type: 'string' } },
        body: { description: 'The answer, where it is JSON.' },
        text: { type: 'string', description: 'The answer, where it is text, or JSON that was cut off.' },
        truncated: { type: 'boolean', description: 'The answer is longer than this.' },
      },
      required: ['status', 'headers', 'truncated'],
    },
    readOnly: false,
  },
];
