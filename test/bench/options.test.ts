import { describe, expect, test } from 'vitest';
import { choices } from './measure.ts';
import { help, OptionsError, readOptions } from './options.ts';
import { chapters } from './rows/chapters.ts';

const rows = [
  { id: 'select-simple-1', title: '', quick: true, long: false },
  { id: 'select-simple-16', title: '', quick: false, long: false },
  { id: 'connect', title: '', quick: true, long: false },
  { id: 'soak', title: '', quick: false, long: true },
];
const chosen = (...args: string[]) => [...readOptions(args, rows).chosen];

describe('the command line', () => {
  test('chooses every row that does not take long', () => {
    expect(chosen()).toEqual(['select-simple-1', 'select-simple-16', 'connect']);
    expect(chosen('--quick')).toEqual(['select-simple-1', 'connect']);
  });

  test('has the soak when it is asked for, of ten minutes or as many as told', () => {
    expect(chosen('--soak')).toContain('soak');
    expect(readOptions(['--soak'], rows).soakMinutes).toBe(10);
    expect(readOptions(['--soak', '3', '--quick'], rows)).toMatchObject({ soakMinutes: 3, quick: true });
    expect(chosen('--only', 'soak')).toEqual(['soak']);
  });

  test('takes rows by their id, or by how it begins', () => {
    expect(chosen('--only', 'select-simple-1')).toEqual(['select-simple-1']);
    expect(chosen('--only', 'select')).toEqual(['select-simple-1', 'select-simple-16']);
    expect(chosen('--only', 'connect,soak', '--only', 'select-simple-16')).toEqual([
      'connect',
      'soak',
      'select-simple-16',
    ]);
  });

  test('takes fewer and shorter turns when it is to be quick, unless told otherwise', () => {
    expect(readOptions([], rows)).toMatchObject({ rounds: 5, seconds: 5 });
    expect(readOptions(['--quick'], rows)).toMatchObject({ rounds: 3, seconds: 1 });
    expect(readOptions(['--quick', '--rounds', '7', '--seconds', '2'], rows)).toMatchObject({ rounds: 7, seconds: 2 });
  });

  test.each([
    [['--only', 'selekt'], /There is no row "selekt"\. Rows: select-simple-1, /],
    [['--only', ''], /There is no row ""/],
    [['--rounds', '0'], /--rounds takes a whole number/],
    [['--rounds', 'many'], /--rounds takes a whole number/],
    [['--fast'], /--fast[\s\S]*--help/],
    [['select'], /--help/],
  ])('refuses %j and says why', (args, message) => {
    expect(() => readOptions(args, rows)).toThrow(OptionsError);
    expect(() => readOptions(args, rows)).toThrow(message);
  });
});

describe('the rows', () => {
  const all = choices(chapters);
  test('have ids of their own', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  test('are all there that the help shows', () => {
    for (const [, list = ''] of help.matchAll(/--only ([a-z][\w,-]+)/g)) {
      expect(() => readOptions(['--only', list], all)).not.toThrow();
    }
  });
});
