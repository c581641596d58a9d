import { expect, test } from 'vitest';

import { ago, bytes, count, duration, percent, short, title } from '../src/format';

test('bytes keep three digits', () => {
  expect(bytes(0)).toBe('0 B');
  expect(bytes(1023)).toBe('1023 B');
  expect(bytes(1536)).toBe('1.50 KiB');
  expect(bytes(96 * 1024 ** 2)).toBe('96.0 MiB');
  expect(bytes(2.5 * 1024 ** 4)).toBe('2.50 TiB');
});

test('counts and shares', () => {
  expect(count(1234567)).toBe('1,234,567');
  expect(short(9999)).toBe('9,999');
  expect(short(12345)).toBe('12.3K');
  expect(percent(0)).toBe('0 %');
  expect(percent(0.054)).toBe('5.4 %');
  expect(percent(0.5)).toBe('50 %');
});

test('durations use two units at most', () => {
  expect(duration(350)).toBe('350 ms');
  expect(duration(4200)).toBe('4.2 s');
  expect(duration(185_000)).toBe('3 min 5 s');
  expect(duration(7_800_000)).toBe('2 h 10 min');
  expect(duration(86_400_000)).toBe('1 d');
  expect(ago(100)).toBe('just now');
});

test('dashed names become titles', () => {
  expect(title('balance-hot-region')).toBe('Balance hot region');
});
