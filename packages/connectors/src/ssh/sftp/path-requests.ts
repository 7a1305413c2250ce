import type { Allowed } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import * as answer from './answers.ts';
import type { Desk } from './desk.ts';
import { onlyAsJudged } from './opened.ts';
import { follows, type PathRequest, pathUnit, problemOf } from './operations.ts';
import { movedLink, named, type Resolved, resolvePath, textOf } from './paths.ts';
import { code, flag } from './protocol.ts';
import { FileReader } from './reader.ts';
import type { Answer, SftpTarget } from './target.ts';

/** Requests for something at a path: resolved, decided, carried out. */
export class PathRequests {
  readonly #desk: Desk;
  readonly #target: SftpTarget;

  constructor(desk: Desk, target: SftpTarget) {
    this.#desk = desk;
    this.#target = target;
  }

  async serve(id: number, request: PathRequest): Promise<void> {
    const { session } = this.#desk;
    const problem = problemOf(request);
    if (problem !== undefined || (request.kind === 'open' && this.#desk.handles.full)) {
      session.refuse('sftp', `${request.kind} ${request.path}`, problem ?? 'Too many files are open.');
      session.flush();
      this.#desk.send(answer.status(id, problem === undefined ? code.failure : code.unsupported, problem));
      return;
    }
    // First by what it is called alone, so that what policy refuses anyway tells nothing of what is there.
    const plain = this.#unresolved(request);
    if (session.would(plain) === 'deny') {
      const outcome = session.judge(plain);
      session.flush();
      if (outcome.effect === 'hold') outcome.withdraw();
      if (outcome.effect === 'allow') session.discard(outcome.permit);
      if (outcome.effect === 'deny') this.#desk.deny(id, outcome.denial);
      else this.#desk.send(answer.status(id, code.permissionDenied));
      return;
    }
    let at = await this.#resolve(request);
    if (this.#desk.over) return;
    const unit: Unit = {
      ...at.unit,
      renew: async () => {
        at = await this.#resolve(request);
        return at.unit;
      },
    };
    const outcome = await this.#desk.decide(unit);
    if (outcome === undefined) return;
    if (outcome.effect === 'deny') {
      this.#desk.deny(id, outcome.denial);
      return;
    }
    if (at.failed !== undefined) {
      session.discard(outcome.permit);
      this.#desk.send(answer.status(id, at.failed));
    } else if (request.kind === 'realpath') {
      session.discard(outcome.permit);
      this.#desk.send(this.#desk.shownPath(id, at.path));
    } else if (request.kind === 'open' && outcome.masked.size > 0) {
      session.discard(outcome.permit);
      this.#desk.hidden(id, outcome.handle.seq, [...outcome.masked].sort());
    } else this.#carryOut(id, request, at.path, at.unit, outcome);
  }

  #unresolved(request: PathRequest): Unit {
    const guess = (path: string): Resolved => ({
      path: named(this.#desk.home, path),
      named: named(this.#desk.home, path),
    });
    const link = guess(request.path);
    return pathUnit(this.#desk.ground, request, link, 'other' in request ? guess(beside(request, link)) : undefined);
  }

  async #resolve(request: PathRequest) {
    const home = this.#desk.home;
    const at = await resolvePath(this.#target, home, request.path, follows(request));
    const other =
      'other' in request
        ? await resolvePath(this.#target, home, beside(request, at), request.kind === 'symlink' ? 'follow' : 'keep')
        : undefined;
    const [from, to] = request.kind === 'hardlink' ? [other, at] : [at, other];
    const moves = request.kind === 'rename' || request.kind === 'posix-rename' || request.kind === 'hardlink';
    const beyond = moves && from && to ? await movedLink(this.#target, home, from.path, to.path) : undefined;
    // What a link leads to need not be there.
    const failed = at.failed ?? (request.kind === 'symlink' ? undefined : other?.failed);
    return { unit: pathUnit(this.#desk.ground, request, at, other, beyond), path: at.path, failed };
  }

  #carryOut(id: number, request: PathRequest, path: string, unit: Unit, allowed: Allowed): void {
    const { home } = this.#desk;
    const opened = (given: Answer): Promise<Answer> | Answer =>
      request.kind === 'open' ? onlyAsJudged(this.#target, home, request.path, path, given) : given;
    const asked = this.#desk.ask(this.#target, allowed.permit).then(opened);
    this.#desk.whenAnswered(id, 0, asked, (given) => {
      if (given.kind === 'handle' && (request.kind === 'open' || request.kind === 'opendir')) {
        return this.#opened(id, request, path, unit, allowed, given.handle);
      }
      if (given.kind === 'attributes') return answer.attributes(id, given.attributes);
      if (given.kind === 'extended' && request.kind === 'statvfs') return answer.statvfs(id, given.data);
      if (given.kind === 'names' && request.kind === 'readlink') {
        const [entry] = given.entries;
        const leadsTo = entry && textOf(entry.name);
        return leadsTo === undefined ? answer.status(id, code.failure) : this.#desk.shownPath(id, leadsTo);
      }
      return answer.status(id, given.kind === 'status' ? given.code : code.failure);
    });
  }

  #opened(id: number, request: PathRequest, path: string, unit: Unit, allowed: Allowed, upstream: Buffer): Buffer {
    const file = request.kind === 'open' ? request : undefined;
    const reads = file !== undefined && (file.flags & flag.read) !== 0;
    const open = this.#desk.handles.add({
      upstream,
      path,
      kind: file ? 'file' : 'directory',
      ...(reads ? { reader: new FileReader(this.#desk.session, this.#target, upstream) } : {}),
      writes: file !== undefined && (file.flags & flag.write) !== 0,
      unit,
      handle: allowed.handle,
      checkedAt: this.#desk.clock.now(),
    });
    return answer.handle(id, open.name);
  }
}

/** What a symbolic link leads to is seen from where the link is. */
function beside(request: PathRequest & { readonly other: string }, at: Resolved): string {
  if (request.kind !== 'symlink' || request.other.startsWith('/')) return request.other;
  return `${at.path.slice(0, at.path.lastIndexOf('/'))}/${request.other}`;
}
