import type { Unit } from '@sluice/core/domain/unit.ts';
import * as answer from './answers.ts';
import type { Desk } from './desk.ts';
import { Fields, FieldsWriter } from './fields.ts';
import type { Open } from './handles.ts';
import { handleUnit, partUnit } from './operations.ts';
import { code, most, type } from './protocol.ts';
import type { Request } from './requests.ts';
import type { Answer, SftpTarget } from './target.ts';

export type HandleRequest = Extract<Request, { readonly handle: string }>;

/** Requests for something that is open: it may be done as far as the opening was allowed. */
export class HandleRequests {
  readonly #desk: Desk;
  readonly #target: SftpTarget;

  constructor(desk: Desk, target: SftpTarget) {
    this.#desk = desk;
    this.#target = target;
  }

  async serve(id: number, request: HandleRequest): Promise<void> {
    const open = this.#desk.handles.get(request.handle);
    if (!open) {
      this.#desk.send(answer.status(id, code.failure, 'No such handle'));
      return;
    }
    const body = new FieldsWriter();
    switch (request.kind) {
      case 'close':
        this.#desk.handles.remove(request.handle);
        this.#part(id, open, 'close', body.uint8(type.close).bytes(open.upstream));
        return;
      case 'read':
        this.#read(id, open, request.offset, request.length);
        return;
      case 'write':
        this.#write(id, open, request.offset, request.data);
        return;
      case 'readdir':
        if (open.kind !== 'directory' || !this.#desk.still(id, open)) {
          if (open.kind !== 'directory') this.#desk.mayNot(id, open, 'readdir');
          return;
        }
        this.#part(id, open, 'readdir', body.uint8(type.readdir).bytes(open.upstream));
        return;
      case 'fsync':
        if (!open.writes) this.#desk.mayNot(id, open, 'fsync');
        else if (this.#desk.still(id, open)) {
          body.uint8(type.extended).text('fsync@openssh.com').bytes(open.upstream);
          this.#part(id, open, 'fsync', body);
        }
        return;
      case 'fstat':
      case 'fstatvfs': {
        if (request.kind === 'fstat') body.uint8(type.fstat).bytes(open.upstream);
        else body.uint8(type.extended).text('fstatvfs@openssh.com').bytes(open.upstream);
        const unit = handleUnit(this.#desk.ground, 'ssh:sftp.stat', open.path, request.kind, body.take());
        await this.#onOpen(id, unit);
        return;
      }
      case 'fsetstat': {
        const { attributes } = request;
        body.uint8(type.fsetstat).bytes(open.upstream).attributes(attributes);
        const unit = handleUnit(this.#desk.ground, 'ssh:sftp.setstat', open.path, 'fsetstat', body.take(), attributes);
        await this.#onOpen(id, unit);
      }
    }
  }

  async #onOpen(id: number, unit: Unit): Promise<void> {
    const outcome = await this.#desk.decide(unit);
    if (outcome === undefined) return;
    if (outcome.effect === 'deny') {
      this.#desk.deny(id, outcome.denial);
      return;
    }
    this.#desk.whenAnswered(id, 0, this.#desk.ask(this.#target, outcome.permit), (given) => {
      if (given.kind === 'attributes') return answer.attributes(id, given.attributes);
      if (given.kind === 'extended') return answer.statvfs(id, given.data);
      return answer.status(id, given.kind === 'status' ? given.code : code.failure);
    });
  }

  #part(id: number, open: Open, name: string, body: FieldsWriter): void {
    const outcome = this.#desk.session.judge(partUnit(open.unit, name, body.take(), open.handle));
    if (outcome.effect !== 'allow') {
      this.#desk.send(answer.status(id, code.permissionDenied));
      return;
    }
    this.#desk.whenAnswered(id, 0, this.#desk.ask(this.#target, outcome.permit), (given) => {
      if (given.kind === 'names') return this.#listed(id, open, given);
      if (name === 'close') this.#desk.complete(open);
      return answer.status(id, given.kind === 'status' ? given.code : code.failure);
    });
  }

  #listed(id: number, open: Open, given: Answer & { readonly kind: 'names' }): Buffer {
    const { session } = this.#desk;
    const entries = answer.shownEntries(session, given.entries);
    const lines = entries.map(({ name }) => `${name.toString()}\n`).join('');
    session.record({ type: 'output', unit: open.handle.seq, stream: 'names', data: Buffer.from(lines) });
    session.flush();
    return answer.names(id, entries);
  }

  #read(id: number, open: Open, offset: bigint, length: number): void {
    const { session } = this.#desk;
    const { reader } = open;
    if (!reader) {
      this.#desk.mayNot(id, open, 'read');
      return;
    }
    if (!this.#desk.still(id, open)) return;
    const size = Math.min(length, most.read);
    if (size === 0 || offset >= 1n << 63n) {
      this.#desk.send(answer.status(id, code.failure));
      return;
    }
    const what = new FieldsWriter().uint8(type.read).uint64(offset).uint32(size).take();
    const outcome = session.judge(partUnit(open.unit, 'read', what, open.handle));
    if (outcome.effect !== 'allow') {
      this.#desk.send(answer.status(id, code.permissionDenied));
      return;
    }
    const asked = session.carryOut(outcome.permit, ({ bytes: [part] }) => {
      const fields = new Fields(part instanceof Buffer ? part : Buffer.from(part ?? []), 'client');
      fields.uint8();
      return reader.read(fields.uint64(), fields.uint32());
    });
    this.#desk.whenAnswered(id, size, asked, (part) => {
      if (part.kind === 'hidden') {
        this.#desk.hidden(id, open.handle.seq, part.labels);
        return undefined;
      }
      if (part.kind === 'status') return answer.status(id, part.code);
      const stream = offset === open.readEnd ? 'content' : `content@${offset}`;
      open.readEnd = offset + BigInt(part.data.length);
      open.count.read += part.data.length;
      session.record({ type: 'output', unit: open.handle.seq, stream, data: part.data });
      session.flush();
      return answer.data(id, part.data);
    });
  }

  #write(id: number, open: Open, offset: bigint, data: Buffer): void {
    const { session } = this.#desk;
    if (!open.writes) {
      this.#desk.mayNot(id, open, 'write');
      return;
    }
    const before = this.#desk.handles.before(open.name, offset);
    const size = 17 + open.upstream.length + data.length;
    const body = new FieldsWriter(size).uint8(type.write).bytes(open.upstream).uint64(offset).bytes(data).take();
    const outcome = session.judge({
      ...open.unit,
      name: 'write',
      bytes: [body],
      labels: [],
      continues: open.handle,
      content: { data, before },
    });
    if (outcome.effect !== 'allow') {
      // Nobody can be asked in the middle of a file.
      if (outcome.effect === 'hold') outcome.withdraw();
      if (outcome.effect === 'deny') this.#desk.deny(id, outcome.denial);
      else this.#desk.send(answer.status(id, code.permissionDenied, 'Policy changed while the file was written.'));
      return;
    }
    this.#desk.handles.wrote(open.name, offset, data);
    open.count.written += data.length;
    this.#desk.whenAnswered(id, data.length, this.#desk.ask(this.#target, outcome.permit), (given) =>
      answer.status(id, given.kind === 'status' ? given.code : code.failure),
    );
  }
}
