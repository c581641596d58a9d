import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'qm-theme';

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'auto';
}

export const theme = signal<Theme>(stored());
/** Goes up whenever colours change, so that canvases draw again. */
export const paint = signal(0);

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === 'auto') {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset['theme'];
  } else {
    localStorage.setItem(KEY, next);
    document.documentElement.dataset['theme'] = next;
  }
  paint.value += 1;
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paint.value += 1;
});
