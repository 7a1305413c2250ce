import { ApiError } from '@sluice/api/api-error.ts';
import { jsonLines, recordingMedia } from '@sluice/api/routes.ts';
import type { Guarded } from '../guard.ts';
import { type Call, type Handlers, Stream } from '../handler.ts';
import { pageOf } from '../paging.ts';
import type { SessionRecord } from '../services.ts';
import { sessionView } from '../views/session.ts';

type Names = 'listSessions' | 'getSession' | 'listSessionEvents' | 'getSessionRecording' | 'killSession';

export const sessionRoutes: Pick<Handlers, Names> = {
  async listSessions({ services, guard, query }) {
    const page = await pageOf({
      limit: query.limit ?? 50,
      before: query.before,
      fetch: (limit, before) =>
        services.sessions.list({
          limit,
          ...(query.target === undefined ? {} : { target: query.target }),
          ...(query.principal === undefined ? {} : { principal: query.principal }),
          ...(query.live === undefined ? {} : { live: query.live }),
          ...(before === undefined ? {} : { before }),
        }),
      visible: guard.filter(guarded),
      at: (row) => row.startedAt,
    });
    return { ...page, items: page.items.map(sessionView) };
  },

  async getSession(call) {
    return sessionView(await find(call));
  },

  async listSessionEvents(call) {
    const { services, query } = call;
    const session = await find(call);
    witnessRead(call, session);
    const { id } = session;
    const events = services.recordings.events(id);
    if (call.streamAs === jsonLines) return new Stream(jsonLines, linesOf(events));
    return pageOfEvents(events, query.after ?? 0, query.limit ?? 200);
  },

  async getSessionRecording(call) {
    const session = await find(call);
    witnessRead(call, session);
    const { id } = session;
    const bytes = await call.services.recordings.open(id);
    if (!bytes) throw new ApiError('not_found', 'The recording of this session is not on this gateway.');
    return new Stream(recordingMedia, bytes, `${id}.sluice`);
  },

  async killSession(call) {
    const { services, guard } = call;
    const { id } = await find(call);
    if (!(await services.sessions.kill(id, guard.principal))) {
      throw new ApiError('conflict', 'The session is over already.');
    }
    return { id, killed: true };
  },
};

type OneSession = Call<'getSession'> | Call<'listSessionEvents'> | Call<'getSessionRecording'> | Call<'killSession'>;

async function find({ services, guard, params }: OneSession): Promise<SessionRecord> {
  return guard.must(await services.sessions.get(params.id), guarded, 'No session of this id.');
}

function guarded(session: SessionRecord): Guarded {
  return { target: session.target, owner: session.principal.id };
}

/** Throws when it can't be witnessed; then nothing is read. */
function witnessRead({ services, guard }: OneSession, session: SessionRecord): void {
  if (session.principal.id === guard.principal.id) return;
  services.audit.record({ name: 'recording.read', session: session.id, by: guard.principal.id });
}

async function pageOfEvents(events: AsyncIterable<object>, after: number, limit: number) {
  const items: Record<string, unknown>[] = [];
  let seen = 0;
  for await (const event of events) {
    if (seen >= after + limit) return { items, next: String(after + limit) };
    if (seen >= after) items.push({ ...event });
    seen++;
  }
  return { items };
}

async function* linesOf(events: AsyncIterable<object>): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  for await (const event of events) yield encoder.encode(`${JSON.stringify(event)}\n`);
}
