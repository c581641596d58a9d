/** Told apart by people who see colours differently, on both backgrounds (after Okabe and Ito, adjusted). */
const LIGHT = [
  '#0e7c73',
  '#d17a00',
  '#3d6fc4',
  '#b8428c',
  '#7a8b00',
  '#c2452d',
  '#5d55b5',
  '#2b9ab8',
  '#8f6a3a',
  '#5b6470',
  '#b59a00',
  '#35803c',
];
const DARK = [
  '#3fc9b8',
  '#f0a53c',
  '#7da7f2',
  '#ea86c3',
  '#b7c74a',
  '#f1806a',
  '#a9a1f5',
  '#65c7e3',
  '#c9a36e',
  '#a3adb9',
  '#e0c84a',
  '#7fc686',
];

export const LINES_MAX = LIGHT.length;

export function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return (
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  );
}

export function lineColour(index: number): string {
  const colours = isDark() ? DARK : LIGHT;
  return colours[index % colours.length] ?? '#888';
}

export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
