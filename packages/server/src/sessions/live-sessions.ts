/**
 * The sessions this gateway serves right now, and the ways to end them: a kill by a person (here or at another gateway
 * on the same store), a revoked access credential, a disabled principal, the end of the gateway.
 */
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import { behind, type Principal } from '@sluice/core/domain/principal.ts';
import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { SessionCounts } from '@sluice/core/pipeline/ports.ts';

interface Live {
  readonly info: SessionInfo;
  readonly end: (reason: EndReason, message: string) => void;
}

export interface LiveSessionParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly audit: AuditSink;
  /** It enters what it is told in the order in which it is told. */
  readonly index: {
    opened(session: SessionInfo, recordingPath: string): Promise<void>;
    ended(id: string, reason: EndReason, counts: SessionCounts | undefined, at: number): Promise<void>;
    /** Asks the gateway that serves it to end it; false when it is over. */
    kill(id: string, by: string, at: number): Promise<boolean>;
  };
  pathOf(session: SessionInfo): string;
  readonly metrics: {
    opened(target: string): void;
    ended(target: string, reason: string, counts: SessionCounts): void;
  };
}

export class LiveSessions {
  readonly #parts: LiveSessionParts;
  readonly #live = new Map<string, Live>();
  readonly #ending = new Set<Promise<void>>();

  constructor(parts: LiveSessionParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#live.size;
  }

  has(id: string): boolean {
    return this.#live.has(id);
  }

  opened(info: SessionInfo, end: Live['end']): void {
    const { index, log, metrics, pathOf } = this.#parts;
    metrics.opened(info.target.name);
    index.opened(info, pathOf(info)).catch((err) => {
      log.error({ session: info.id, err }, 'session could not be entered in the index; its recording is not affected');
    });
    this.#live.set(info.id, { info, end });
  }

  ended(info: SessionInfo, reason: EndReason, counts: SessionCounts): void {
    this.#over(info, reason, counts);
  }

  /** Whatever served it is gone, and nobody can say how much was done in it but its recording. */
  interrupted(info: SessionInfo): void {
    this.#over(info, 'interrupted', undefined);
  }

  /** False when there is no such live session on any gateway. */
  async kill(id: string, by: Principal): Promise<boolean> {
    const { audit, clock, index } = this.#parts;
    audit.record({ name: 'session.killed', session: id, by: by.id });
    // One of our own ends even when the store cannot be asked.
    const own = this.#live.has(id);
    this.killed(id);
    return (await index.kill(id, by.id, clock.now())) || own;
  }

  /** A kill was announced, here or elsewhere. */
  killed(id: string): void {
    this.#live.get(id)?.end('killed', 'An operator ended this session.');
  }

  endOfCredential(id: string): void {
    this.#endWhere((info) => info.credential === id, 'revoked', 'The access credential of this session was revoked.');
  }

  endOfPrincipal(id: string): void {
    this.#endWhere(
      (info) => behind(info.principal).includes(id),
      'revoked',
      'The identity behind this session was disabled.',
    );
  }

  credentialsInUse(): readonly string[] {
    const used = [...this.#live.values()].map(({ info }) => info.credential);
    return [...new Set(used)].filter((credential) => credential !== undefined);
  }

  principalsInUse(): readonly string[] {
    return [...new Set([...this.#live.values()].flatMap(({ info }) => behind(info.principal)))];
  }

  /** Ends all of them and waits until the index knows. */
  async stop(): Promise<void> {
    this.#endWhere(() => true, 'gateway_stopped', 'The gateway is stopping.');
    while (this.#live.size > 0 || this.#ending.size > 0) {
      await Promise.all([...this.#ending]);
      if (this.#live.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #over(info: SessionInfo, reason: EndReason, counts: SessionCounts | undefined): void {
    const { index, clock, log, metrics } = this.#parts;
    // A session that was refused before it opened is known by its recording alone.
    if (!this.#live.delete(info.id)) return;
    metrics.ended(info.target.name, reason, counts ?? { units: 0, denied: 0, held: 0 });
    const done: Promise<void> = index
      .ended(info.id, reason, counts, clock.now())
      .catch((err) => log.error({ session: info.id, err }, 'the end of a session could not be entered in the index'))
      .finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }

  #endWhere(matches: (info: SessionInfo) => boolean, reason: EndReason, message: string): void {
    for (const { info, end } of [...this.#live.values()]) if (matches(info)) end(reason, message);
  }
}
