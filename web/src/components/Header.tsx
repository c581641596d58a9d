import { useEffect, useRef } from 'preact/hooks';

import { connection, snapshot } from '../live/state';
import { PAGES, path } from '../router';
import { setTheme, theme, type Theme } from '../theme';

const WORDS = {
  connecting: 'Connecting',
  live: 'Live',
  stale: 'Quiet',
  lost: 'Disconnected',
  mismatch: 'Reload needed',
};
const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const FACE: Record<Theme, string> = { auto: '◐', light: '☀', dark: '☾' };

/** On narrow screens the pages do not all fit: the one that is open is brought into view. */
function Pages() {
  const nav = useRef<HTMLElement>(null);
  const open = path.value;
  useEffect(() => {
    const link = nav.current?.querySelector('[aria-current]');
    link?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [open]);
  const running = snapshot.value?.operators.running_count ?? 0;
  return (
    <nav aria-label="Pages" ref={nav}>
      {PAGES.map((page) => (
        <a
          key={page.path}
          href={`#${page.path}`}
          aria-current={open === page.path ? 'page' : undefined}
        >
          {page.name}
          {page.path === '/operators' && running > 0 && (
            <span class="tally" aria-label={`${running} running`}>
              {running}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

export function Header() {
  const state = connection.value.state;
  return (
    <header class="top">
      <a class="brand" href="#/">
        <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
          <rect width="32" height="32" rx="8" fill="var(--accent-strong)" />
          <g fill="#fff">
            <rect x="7" y="16" width="4.6" height="9" rx="1.2" />
            <rect x="13.7" y="12" width="4.6" height="13" rx="1.2" />
            <rect x="20.4" y="16" width="4.6" height="9" rx="1.2" />
          </g>
          <path d="M6 9.2h20" stroke="#f2b84b" stroke-width="2.4" stroke-linecap="round" />
        </svg>
        <span>Quartermaster</span>
      </a>
      <Pages />
      <div class="top-end">
        <span class={`pulse ${state}`} role="status" data-testid="connection">
          <i aria-hidden="true" />
          {WORDS[state]}
        </span>
        <button
          type="button"
          class="icon"
          onClick={() => setTheme(NEXT[theme.value])}
          title={`Colours: ${theme.value}. Change to ${NEXT[theme.value]}.`}
          aria-label={`Colours: ${theme.value}. Change to ${NEXT[theme.value]}.`}
        >
          <span aria-hidden="true">{FACE[theme.value]}</span>
        </button>
      </div>
    </header>
  );
}
