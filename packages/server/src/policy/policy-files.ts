/**
 * The operator's policy files as the source of what is in force. A change takes effect by itself, all of it or nothing:
 * a set with an error in it changes nothing, and the error is told. It knows files and time; what policies mean is the
 * policy package's business.
 */
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { PolicyTexts } from '@sluice/core/contract/control-plane.ts';
import type { Declarations } from '@sluice/core/contract/declarations.ts';
import type { PolicySource } from '@sluice/core/contract/policy.ts';
import type { HoldDefaults } from '@sluice/policy/annotations.ts';
import { formatPolicyError, type PolicyError, policyError } from '@sluice/policy/error.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import type { PolicySet } from '@sluice/policy/policy-set.ts';
import { EnforcedPolicies } from '@sluice/policy/snapshot.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { type FilesRead, readPolicyFiles } from './read-files.ts';

export interface PolicyFilesOptions {
  /** Absolute; globs and shown paths start here. */
  readonly directory: string;
  readonly globs: readonly string[];
  /** Of all connectors. */
  readonly declarations: readonly Declarations[];
  readonly holdDefaults: HoldDefaults;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds without a further change before files are read: editors and checkouts change several at once. */
  readonly settle?: number;
  /** Milliseconds after which files are read again unasked: network file systems announce nothing. */
  readonly recheck?: number;
}

export interface PolicyFilesStatus {
  readonly hash: string;
  readonly epoch: number;
  /** Files of the set in force, relative to the directory. */
  readonly files: readonly string[];
  /** Why the newest files are not in force; empty when they are. */
  readonly problems: readonly PolicyError[];
  /** What is in force but worth a second look. */
  readonly notices: readonly string[];
  /** When the set in force was loaded; Unix milliseconds. */
  readonly loadedAt: number;
}

/** Reads the files before it resolves. With an error in them, or without any, it starts with a set that denies everything. */
export async function openPolicyFiles(options: PolicyFilesOptions): Promise<PolicyFiles> {
  const source = new PolicyFiles(options);
  await source.reload();
  return source;
}

export class PolicyFiles implements PolicySource {
  readonly #options: PolicyFilesOptions;
  readonly #watch: DirectoryWatch;
  readonly #changed = new Set<(snapshot: EnforcedPolicies) => void>();
  readonly #failed = new Set<(problems: readonly PolicyError[]) => void>();
  #snapshot: EnforcedPolicies;
  #status: PolicyFilesStatus;
  #texts: PolicyTexts;
  /** What was read last, whether it came into force or not. */
  #read = '';
  /** Where policy files were looked for, and found a directory, when a set last came into force. */
  #bases: readonly string[] = [];
  #reloading: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #cancelSettle = (): void => {};
  #cancelRecheck = (): void => {};
  /** When the first change was seen that has not been read yet. */
  #pendingSince: number | undefined;

  /** Denies everything until `reload` has read the files. Throws when declarations contradict each other. */
  constructor(options: PolicyFilesOptions) {
    this.#options = options;
    this.#watch = new DirectoryWatch(
      () => this.#noticeChange(),
      (directory, error) =>
        options.log.warn({ directory, err: error }, 'policy files here are only checked now and then'),
    );
    const empty = loadPolicies([], options.declarations, options.holdDefaults);
    if (!empty.ok) throw new Error('A set without policies can always be loaded.');
    this.#snapshot = this.#enforce(empty.set, 0);
    this.#status = this.#statusOf(empty.set, []);
    this.#texts = { hash: empty.set.hash, epoch: 0, files: [] };
  }

  current(): EnforcedPolicies {
    return this.#snapshot;
  }

  status(): PolicyFilesStatus {
    return this.#status;
  }

  /** The files of the set in force, from which anybody else gets the same set. */
  texts(): PolicyTexts {
    return this.#texts;
  }

  onChange(callback: (snapshot: EnforcedPolicies) => void): () => void {
    this.#changed.add(callback);
    return () => this.#changed.delete(callback);
  }

  /** Called with the problems each time a change could not come into force. */
  onProblem(callback: (problems: readonly PolicyError[]) => void): () => void {
    this.#failed.add(callback);
    return () => this.#failed.delete(callback);
  }

  /** Reads the files now. Resolves when what they say is in force or is refused; never rejects. */
  reload(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#reloading) {
      this.#again = true;
      return this.#reloading;
    }
    this.#reloading = this.#readUntilQuiet().finally(() => {
      this.#reloading = undefined;
      this.#scheduleRecheck();
    });
    return this.#reloading;
  }

  close(): void {
    this.#closed = true;
    this.#watch.close();
    this.#cancelSettle();
    this.#cancelRecheck();
    this.#changed.clear();
    this.#failed.clear();
  }

  async #readUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      this.#pendingSince = undefined;
      // Watched before it is read, so that nothing can change in between unseen.
      const before = await readPolicyFiles(this.#options.directory, this.#options.globs);
      if (this.#closed) return;
      this.#watch.follow(before.directories);
      const read = await readPolicyFiles(this.#options.directory, this.#options.globs);
      if (this.#closed) return;
      this.#consider(read);
    } while (this.#again);
  }

  #consider(read: FilesRead): void {
    const gone = this.#bases.filter((directory) => !read.bases.includes(directory));
    const content = JSON.stringify([read.files, read.problems, gone]);
    if (content === this.#read) return;
    this.#read = content;
    if (read.problems.length > 0) {
      this.#refuse(read.problems);
    } else if (gone.length > 0) {
      // A volume that is not mounted looks like this, and the forbids on it must stay in force.
      const message = 'the directory is gone; its policies stay in force until the gateway starts without it';
      this.#refuse(gone.map((directory) => policyError(directory, { line: 1, column: 1 }, message)));
    } else {
      this.#bases = read.bases;
      this.#load(read);
    }
  }

  #load(read: FilesRead): void {
    try {
      const loaded = loadPolicies(read.files, this.#options.declarations, this.#options.holdDefaults);
      if (!loaded.ok) this.#refuse(loaded.errors);
      else this.#adopt(loaded.set, read);
    } catch (error) {
      this.#options.log.error({ err: error }, 'policies could not be loaded');
      this.#refuse([policyError('.', { line: 1, column: 1 }, 'the policies could not be loaded; the log says why')]);
    }
  }

  #adopt(set: PolicySet, read: FilesRead): void {
    const { log } = this.#options;
    this.#snapshot = this.#enforce(set, this.#snapshot.epoch + 1);
    this.#status = this.#statusOf(
      set,
      read.files.map((file) => file.path),
    );
    const { hash, epoch } = this.#status;
    this.#texts = { hash, epoch, files: read.files };
    if (set.policies.length === 0) {
      const { directory, globs } = this.#options;
      log.error({ hash, epoch, directory, globs }, 'there are no policies: everything is denied');
    } else {
      log.info({ hash, epoch, policies: set.policies.length, files: this.#status.files }, 'policies in force');
    }
    for (const notice of set.notices) log.warn({ hash }, notice);
    this.#tell(this.#changed, this.#snapshot);
  }

  #refuse(problems: readonly PolicyError[]): void {
    const { log } = this.#options;
    this.#status = { ...this.#status, problems };
    const { hash, epoch } = this.#status;
    for (const problem of problems) log.error({ hash, epoch }, formatPolicyError(problem));
    const kept =
      epoch === 0 ? 'no policies could be loaded: everything is denied' : 'the policies loaded before stay in force';
    log.error({ hash, epoch, problems: problems.length }, kept);
    this.#tell(this.#failed, problems);
  }

  #tell<T>(callbacks: ReadonlySet<(value: T) => void>, value: T): void {
    for (const callback of [...callbacks]) {
      try {
        callback(value);
      } catch (error) {
        // One that fails must not keep the others from hearing that a policy was tightened.
        this.#options.log.error({ err: error }, 'a change of policies could not be passed on');
      }
    }
  }

  #enforce(set: PolicySet, epoch: number): EnforcedPolicies {
    return new EnforcedPolicies(set, epoch, {
      onFault: (message) => this.#options.log.warn({ hash: set.hash }, message),
    });
  }

  #statusOf(set: PolicySet, files: readonly string[]): PolicyFilesStatus {
    const { hash, epoch } = this.#snapshot;
    return { hash, epoch, files, problems: [], notices: set.notices, loadedAt: this.#options.clock.now() };
  }

  /** Waits until changes have settled, but not for ever: something may be writing there all the time. */
  #noticeChange(): void {
    const { clock, settle = 150 } = this.#options;
    if (this.#closed) return;
    this.#pendingSince ??= clock.now();
    const waited = clock.now() - this.#pendingSince;
    this.#cancelSettle();
    this.#cancelSettle = clock.after(waited > settle * 10 ? 0 : settle, () => void this.reload());
  }

  #scheduleRecheck(): void {
    this.#cancelRecheck();
    if (this.#closed) return;
    this.#cancelRecheck = this.#options.clock.after(this.#options.recheck ?? 15_000, () => void this.reload());
  }
}
