import { describe, expect, test, vi } from 'vitest';
import { ArrivingBody } from './arriving-body.ts';
import { wholeBody } from './body.ts';

function arriving(): {
  readonly body: ArrivingBody;
  readonly flow: Readonly<Record<'pause' | 'resume' | 'abort', ReturnType<typeof vi.fn>>>;
} {
  const flow = { pause: vi.fn(), resume: vi.fn(), abort: vi.fn() };
  return { body: new ArrivingBody(flow), flow };
}

describe('a body that arrives', () => {
  test('is taken whole once it is here, and then it is gone', async () => {
    const { body, flow } = arriving();
    body.push(Buffer.from('one '));
    expect(body.taken(100)).toBeUndefined();
    body.push(Buffer.from('two'));
    body.end();
    expect(body.taken(6)).toBeUndefined();
    expect(Buffer.from(body.taken(7) ?? []).toString()).toBe('one two');
    expect(body.taken(7)).toBeUndefined();
    expect((await wholeBody(body)).length).toBe(0);
    expect(flow.abort).not.toHaveBeenCalled();
  });

  test('of no bytes is a body, too', () => {
    const { body } = arriving();
    body.end();
    expect(body.taken(0)).toHaveLength(0);
  });

  test('is read as it comes, and holds the other side back when nobody reads', async () => {
    const { body, flow } = arriving();
    body.push(Buffer.alloc(65_535));
    expect(flow.pause).not.toHaveBeenCalled();
    body.push(Buffer.alloc(1));
    body.push(Buffer.alloc(1));
    expect(flow.pause).toHaveBeenCalledTimes(1);
    flow.resume.mockImplementation(() => body.end());
    expect((await wholeBody(body)).length).toBe(65_537);
    expect(flow.resume).toHaveBeenCalledTimes(1);
  });

  test('wakes whoever waits for it', async () => {
    const { body } = arriving();
    const read = wholeBody(body);
    await Promise.resolve();
    body.push(Buffer.from('late'));
    await Promise.resolve();
    body.end();
    expect((await read).toString()).toBe('late');
  });

  test('that breaks off is never taken for a whole one', async () => {
    const { body } = arriving();
    body.push(Buffer.from('begun'));
    body.fail(new Error('cut'));
    expect(body.taken(100)).toBeUndefined();
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const piece of body) seen.push(Buffer.from(piece).toString());
      })(),
    ).rejects.toThrow('cut');
    expect(seen).toEqual(['begun']);
  });

  test('that is left early lets go of the connection, and keeps nothing that still comes', async () => {
    const { body, flow } = arriving();
    body.push(Buffer.from('a'));
    for await (const _ of body) break;
    expect(flow.abort).toHaveBeenCalledTimes(1);
    body.push(Buffer.from('b'));
    body.end();
    expect(body.taken(100)).toBeUndefined();
  });
});
