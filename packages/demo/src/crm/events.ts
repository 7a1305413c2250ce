import type { ServerResponse } from 'node:http';
import type { Desk, DeskEvent } from './desk.ts';

const before = 3;
/** Between signs of life, so that whoever stands between does not take the stream for dead. Milliseconds. */
const pulse = 15_000;

/** The last events and then each new one, as Server-Sent Events (WHATWG HTML, "server-sent events"), without end. */
export function streamEvents(desk: Desk, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = ({ id, type, ...data }: DeskEvent): void => {
    response.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  for (const event of desk.events.slice(-before)) send(event);
  const forget = desk.listen(send);
  const timer = setInterval(() => response.write(': still here\n\n'), pulse);
  response.on('close', () => {
    clearInterval(timer);
    forget();
  });
}
