import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DerivedKeys } from './scram-keys.ts';

const salt = randomBytes(16);

function expected(password: string, withSalt: Buffer, iterations: number) {
  const salted = pbkdf2Sync(password, withSalt, iterations, 32, 'sha256');
  const key = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  return { clientKey: key('Client Key'), serverKey: key('Server Key') };
}

describe('the keys of a SCRAM client', () => {
  it('are those of RFC 5802 section 3, the first time and the next', async () => {
    const keys = new DerivedKeys();
    for (let time = 0; time < 2; time++) {
      await expect(keys.of('pencil', salt, 4096)).resolves.toEqual(expected('pencil', salt, 4096));
    }
    expect(keys.size).toBe(1);
  });

  it.each([
    ['password', 'pencils', salt, 10],
    ['salt', 'pencil', randomBytes(16), 10],
    ['count', 'pencil', salt, 11],
    ['place where the password ends', 'penci', Buffer.concat([Buffer.from('l'), salt]), 10],
  ])('are others for another %s', async (_, password, otherSalt, iterations) => {
    const keys = new DerivedKeys();
    await keys.of('pencil', salt, 10);
    await expect(keys.of(password, otherSalt, iterations)).resolves.toEqual(expected(password, otherSalt, iterations));
    expect(keys.size).toBe(2);
  });

  it('are derived once for logins at the same time', async () => {
    const keys = new DerivedKeys();
    const [one, two] = await Promise.all([keys.of('pencil', salt, 10), keys.of('pencil', salt, 10)]);
    expect(one).toBe(two);
  });

  it('are kept for a few: a server with a new salt each time fills nothing', async () => {
    const keys = new DerivedKeys();
    for (let time = 0; time < 200; time++) await keys.of('pencil', randomBytes(16), 1);
    expect(keys.size).toBe(64);
  });

  it('are not kept where there are none', async () => {
    const keys = new DerivedKeys();
    await expect(keys.of('pencil', salt, 0)).rejects.toThrow();
    expect(keys.size).toBe(0);
  });
});
