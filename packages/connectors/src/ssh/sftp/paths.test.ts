import { EventEmitter } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fields, FieldsWriter } from './fields.ts';
import { named, resolvePath } from './paths.ts';
import { code, Framer, type } from './protocol.ts';
import { SftpTarget, type TargetStream } from './target.ts';

/** A target that has the files of this machine below a folder, as its root. */
class Files extends EventEmitter implements TargetStream {
  readonly #root: string;
  readonly #framer = new Framer('client');

  constructor(root: string) {
    super();
    this.#root = root;
  }

  write(bytes: Buffer): boolean {
    for (const packet of this.#framer.push(bytes)) this.emit('data', this.#answer(packet));
    return true;
  }

  end(): void {
    this.emit('close');
  }

  #answer(packet: Buffer): Buffer {
    const fields = new Fields(packet, 'client');
    const kind = fields.uint8();
    const id = fields.uint32();
    const path = join(this.#root, fields.text());
    const writer = new FieldsWriter();
    try {
      if (kind === type.lstat) {
        const { mode } = lstatSync(path);
        return writer.uint8(type.attrs).uint32(id).attributes({ mode }).packet();
      }
      const leadsTo = readlinkSync(path);
      return writer.uint8(type.name).uint32(id).uint32(1).text(leadsTo).text(leadsTo).attributes({}).packet();
    } catch (error) {
      const missing = (error as { code?: string }).code === 'ENOENT';
      return writer
        .uint8(type.status)
        .uint32(id)
        .uint32(missing ? code.noSuchFile : code.failure)
        .text('')
        .text('')
        .packet();
    }
  }
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
const inner = fc
  .array(fc.oneof(name, name, fc.constantFrom('..', '.', '')), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/'));
const tree = fc.array(
  fc.record({
    at: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    kind: fc.constantFrom('file' as const, 'directory' as const, 'link' as const, 'link' as const),
    leadsTo: fc.tuple(fc.boolean(), inner).map(([absolute, path]) => (absolute ? `/${path}` : path)),
  }),
  { maxLength: 8 },
);

describe('a path', () => {
  test('leads where the kernel says it leads, through any links', async () => {
    await fc.assert(
      fc.asyncProperty(tree, inner, async (entries, written) => {
        const path = written.replace(/^\/+/, '');
        const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-paths-')));
        try {
          for (const { at, kind, leadsTo } of entries) {
            try {
              mkdirSync(dirname(join(root, at)), { recursive: true });
              if (kind === 'file') writeFileSync(join(root, at), '');
              else if (kind === 'directory') mkdirSync(join(root, at), { recursive: true });
              // Where the root of the target is here.
              else symlinkSync(leadsTo.startsWith('/') ? join(root, leadsTo) : leadsTo, join(root, at));
            } catch {
              // Something else is there already.
            }
          }
          // Below its own name, so that absolute links mean the same on both sides.
          const target = new SftpTarget(new Files('/'));
          const found = await resolvePath(target, root, path, 'follow');
          let real: string | undefined;
          try {
            real = realpathSync.native(`${root}/${path}`);
          } catch {
            real = undefined;
          }
          if (real !== undefined) expect(found).toMatchObject({ path: real });
          if (real !== undefined) expect(found.failed).toBeUndefined();
          // What is not there is where it would be made. (The kernel minds `..` behind a file; that is no way out.)
          if (real === undefined && found.failed === undefined) {
            const there = existsSync(found.path) ? found.path : dirname(found.path);
            expect(realpathSync.native(there)).toBe(there);
          }
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['/home/me', 'a', '/home/me/a'],
    ['/home/me', '', '/home/me'],
    ['/home/me', '../you/./x//y/', '/home/you/x/y'],
    ['/home/me', '/../../etc', '/etc'],
    ['/', '~', '/~'],
  ])('named from %s, %s is %s', (home, path, expected) => {
    expect(named(home, path)).toBe(expected);
  });
});
