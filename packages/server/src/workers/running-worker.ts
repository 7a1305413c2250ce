import type { Socket } from 'node:net';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { PolicyTexts } from '@sluice/core/contract/control-plane.ts';
import type { ControlPort } from '../control-port.ts';
import type { ControlCalls, WorkerCalls, WorkerStart } from './calls.ts';
import { Channel } from './channel.ts';
import { servePort } from './serve-port.ts';
import type { Ending, WorkerProcess } from './worker-process.ts';

export interface RunningWorkerParts {
  readonly number: number;
  readonly port: ControlPort;
  readonly log: Log;
  readonly clock: Pick<Clock, 'after'>;
  readonly start: Omit<WorkerStart, 'policies'>;
  /** Makes the process. */
  fork(): Promise<WorkerProcess>;
  /** Called before the worker can write anything. */
  begun(pid: number): void;
}

/** Milliseconds a worker may take to start, to answer that it lives, and to stop. */
const startTime = 60_000;
const pulseInterval = 10_000;
const silence = 60_000;
const stopTime = 20_000;
/** Connections that wait for a worker to take them; beyond, others get them. */
const mostHanding = 256;

/** One worker from the gateway's side, from its start to its end. */
export class RunningWorker {
  readonly number: number;
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly over: Promise<Ending>;
  /** Resolves when it takes connections; rejects when it can't be brought to that. */
  readonly begun: Promise<void>;
  readonly #parts: RunningWorkerParts;
  readonly #process: WorkerProcess;
  readonly #channel: Channel<WorkerCalls, ControlCalls>;
  readonly #unfollow: () => void;
  #ready = false;
  #stopped = false;
  #epoch = 0;
  #cancelPulse = (): void => {};

  static async start(parts: RunningWorkerParts): Promise<RunningWorker> {
    const worker = await parts.fork();
    try {
      parts.begun(worker.pid);
    } catch (error) {
      worker.kill();
      throw error;
    }
    return new RunningWorker(parts, worker);
  }

  private constructor(parts: RunningWorkerParts, worker: WorkerProcess) {
    const { port, log, number } = parts;
    this.#parts = parts;
    this.#process = worker;
    this.number = number;
    this.pid = worker.pid;
    const served = servePort(port);
    this.over = worker.over.then((ending) => {
      this.#ready = false;
      this.#unfollow();
      this.#cancelPulse();
      served
        .end()
        .catch((err) => log.error({ worker: number, err }, 'what clients of a worker waited for was not withdrawn'));
      return ending;
    });
    this.#channel = new Channel<WorkerCalls, ControlCalls>(worker.end, log);
    this.#channel.serve(served.calls);
    port.sessions.onEnd((session, reason, message) => this.#channel.post('end', session, reason, message));
    port.peers.onTold((connector, text) => this.#channel.call('told', connector, text));
    // First the ear, then the look: what changes while it starts comes behind what it starts with.
    this.#unfollow = port.policies.onChange((texts) => this.#tell(texts));
    this.begun = this.#begin(port.policies.current());
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Whether its end was asked for. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Epoch of the policies that it judges by. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether it keeps up with what is handed to it. */
  get takes(): boolean {
    return this.#ready && this.#channel.handing < mostHanding;
  }

  hand(listener: string, socket: Socket): void {
    this.#channel.hand(listener, socket);
  }

  metrics(): Promise<readonly object[]> {
    return this.#channel.call('metrics');
  }

  /** Ends its sessions in good order, and the process whatever it does. Resolves when that is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready = false;
    const { log } = this.#parts;
    await this.#withinTime(stopTime, 'stopping', this.#channel.call('stop')).catch((err) =>
      log.warn({ worker: this.number, err }, 'a worker did not stop in good order'),
    );
    this.#process.disconnect();
    await this.#withinTime(stopTime, 'ending', this.over).catch(() => this.#process.kill());
    await this.over;
  }

  async #begin(policies: PolicyTexts): Promise<void> {
    const { start } = this.#parts;
    try {
      await this.#withinTime(startTime, 'starting', this.#channel.call('start', { ...start, policies }));
    } catch (error) {
      this.#process.kill();
      throw error;
    }
    this.#epoch = Math.max(this.#epoch, policies.epoch);
    this.#ready = true;
    this.#watch();
  }

  #tell(texts: PolicyTexts): void {
    this.#channel.call('policies', texts).then(
      () => {
        this.#epoch = Math.max(this.#epoch, texts.epoch);
      },
      (err) => this.#parts.log.error({ worker: this.number, err }, 'a worker did not take policies over, and ends'),
    );
  }

  /** One that is stuck serves nobody, and would be handed connections for ever. */
  #watch(): void {
    this.#cancelPulse = this.#parts.clock.after(pulseInterval, () => {
      this.#withinTime(silence, 'answering', this.#channel.call('pulse')).then(
        () => {
          if (this.#ready) this.#watch();
        },
        (err) => {
          if (!this.#ready) return;
          this.#parts.log.error({ worker: this.number, pid: this.pid, err }, 'a worker is stuck, and is killed');
          this.#process.kill();
        },
      );
    });
  }

  #withinTime<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`worker ${this.number} takes longer than ${ms} ms for ${what}`));
      const cancel = this.#parts.clock.after(ms, late);
      work.then(resolve, reject).finally(cancel);
    });
  }
}
