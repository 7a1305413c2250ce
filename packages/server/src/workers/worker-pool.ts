import type { Socket } from 'node:net';
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { ControlPort } from '../control-port.ts';
import type { WorkerStart } from './calls.ts';
import { RunningWorker } from './running-worker.ts';
import { Spread } from './spread.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkerPoolParts {
  readonly count: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly metrics: {
    workersUp(count: number): void;
    workerRestarted(): void;
    /** A connection that no worker could take. */
    unserved(): void;
  };
  /** Where it is noted which processes write recordings, for a gateway that finds them alive after this one died. */
  readonly marks: { put(worker: number, pid: number): void; remove(worker: number): void };
  /** Makes the process of a worker. */
  fork(): Promise<WorkerProcess>;
  /** A port for one worker's life. */
  port(): ControlPort;
  /** What a worker is to start with, as of now. */
  startOf(worker: number): Omit<WorkerStart, 'policies'>;
}

/** Before a worker that ended is started again, in milliseconds: the first time, and at most. */
const firstPause = 200;
const longestPause = 30_000;
/** One that lived this long had no trouble starting. */
const settledAfter = 60_000;

interface Slot {
  readonly number: number;
  worker: RunningWorker | undefined;
  /** Times in a row that it ended soon after it was started. */
  failures: number;
  cancelRestart: () => void;
}

/** Keeps so many workers running, and hands connections to them. */
export class WorkerPool {
  readonly #parts: WorkerPoolParts;
  readonly #slots: readonly Slot[];
  readonly #spread = new Spread();
  readonly #ending = new Set<Promise<void>>();
  #stopping = false;

  constructor(parts: WorkerPoolParts) {
    this.#parts = parts;
    this.#slots = Array.from({ length: parts.count }, (_, index) => ({
      number: index + 1,
      worker: undefined,
      failures: 0,
      cancelRestart: () => {},
    }));
  }

  /** Resolves when all of them take connections; rejects, with none left behind, when one can't be started. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#slots.map((slot) => this.#begin(slot)));
    const failed = started.find((one) => one.status === 'rejected');
    if (!failed) return;
    await this.stop();
    throw failed.reason;
  }

  get up(): readonly RunningWorker[] {
    return this.#slots.flatMap(({ worker }) => (worker?.ready ? [worker] : []));
  }

  /** The oldest policies that some worker judges by; undefined when none runs. */
  get epoch(): number | undefined {
    const epochs = this.up.map(({ epoch }) => epoch);
    return epochs.length === 0 ? undefined : Math.min(...epochs);
  }

  hand(listener: string, socket: Socket, byAddress: boolean): void {
    const takers = this.up.filter(({ takes }) => takes);
    const address = socket.remoteAddress ?? '';
    const worker = byAddress ? this.#spread.ofAddress(address, takers) : this.#spread.next(takers);
    if (worker) {
      worker.hand(listener, socket);
      return;
    }
    this.#parts.metrics.unserved();
    socket.destroy();
  }

  /** Ends every session in every worker, and the workers. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const slot of this.#slots) slot.cancelRestart();
    await Promise.all(this.#slots.map(({ worker }) => worker?.stop()));
    await Promise.all([...this.#ending]);
  }

  async #begin(slot: Slot): Promise<void> {
    const { clock, log, audit, metrics, marks } = this.#parts;
    const { number } = slot;
    const port = this.#parts.port();
    let worker: RunningWorker;
    try {
      worker = await RunningWorker.start({
        number,
        port,
        log,
        clock,
        fork: () => this.#parts.fork(),
        start: this.#parts.startOf(number),
        begun: (pid) => marks.put(number, pid),
      });
    } catch (error) {
      await port.gone();
      slot.failures++;
      this.#restartLater(slot);
      throw error;
    }
    if (this.#stopping) {
      await worker.stop();
      return;
    }
    slot.worker = worker;
    const since = clock.now();
    const over = worker.over.then(async (ending) => {
      slot.worker = undefined;
      metrics.workersUp(this.up.length);
      const sessions = await this.#clearAfter(port, number);
      marks.remove(number);
      if (worker.stopped && sessions === 0) return;
      const how = ending.signal ?? `exit code ${ending.code ?? '?'}`;
      log.error({ worker: number, pid: worker.pid, how, sessions }, 'a worker ended, and its sessions with it');
      this.#witness(() =>
        audit.record({ name: 'worker.ended', worker: number, pid: worker.pid, reason: how, sessions }),
      );
      slot.failures = clock.now() - since > settledAfter ? 1 : slot.failures + 1;
      this.#restartLater(slot);
    });
    this.#track(over);
    await worker.begun;
    metrics.workersUp(this.up.length);
    this.#witness(() => audit.record({ name: 'worker.started', worker: number, pid: worker.pid }));
    log.info({ worker: number, pid: worker.pid }, 'a worker takes connections');
  }

  async #clearAfter(port: ControlPort, worker: number): Promise<number> {
    try {
      return await port.gone();
    } catch (err) {
      this.#parts.log.error({ worker, err }, 'what a worker left behind is closed at the next start of the gateway');
      return 0;
    }
  }

  #restartLater(slot: Slot): void {
    if (this.#stopping) return;
    const { clock, log, metrics } = this.#parts;
    const pause = Math.min(longestPause, firstPause * 2 ** (slot.failures - 1));
    if (slot.failures >= 3) {
      const { number: worker, failures } = slot;
      log.error({ worker, failures, pause }, 'a worker ends again and again; the log says why above');
    }
    slot.cancelRestart = clock.after(pause, () => {
      metrics.workerRestarted();
      this.#track(
        this.#begin(slot).catch((err) => log.error({ worker: slot.number, err }, 'a worker could not be started')),
      );
    });
  }

  /** That a process started or ended is not held up by a journal that fails. */
  #witness(record: () => void): void {
    try {
      record();
    } catch (err) {
      this.#parts.log.error({ err }, 'the start or end of a worker is not in the journal');
    }
  }

  #track(work: Promise<void>): void {
    const done = work
      .catch((err) => this.#parts.log.error({ err }, 'a worker could not be cleared up after'))
      .finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }
}
