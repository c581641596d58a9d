import { signal } from '@preact/signals';

/** Pages by the part of the address behind '#': no server has to know them. */
export const PAGES = [
  { path: '/', name: 'Overview' },
  { path: '/stores', name: 'Stores' },
  { path: '/operators', name: 'Operators' },
  { path: '/schedulers', name: 'Schedulers' },
  { path: '/hot', name: 'Hot regions' },
  { path: '/members', name: 'Members' },
] as const;

export type Path = (typeof PAGES)[number]['path'];

function current(): Path {
  const wanted = location.hash.replace(/^#/, '') || '/';
  return PAGES.find((page) => page.path === wanted)?.path ?? '/';
}

export const path = signal<Path>(current());

addEventListener('hashchange', () => {
  path.value = current();
  document.getElementById('main')?.focus({ preventScroll: true });
  scrollTo(0, 0);
});
