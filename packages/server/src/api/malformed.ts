import type { Socket } from 'node:net';

/** Answers bytes that are no HTTP request (RFC 9112 section 2.2), of which not even a path is known, and hangs up. */
export function refuseMalformedHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'too_large', 'The header of the request is too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'bad_request', 'The request did not arrive in time.']
        : ['400 Bad Request', 'bad_request', 'This is not an HTTP request.'];
  const body = JSON.stringify({ error: { code, message, request_id: '' } });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
