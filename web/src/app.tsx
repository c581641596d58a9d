import { ConnectionBanner } from './components/ConnectionBanner';
import { Header } from './components/Header';
import { Waiting } from './components/Waiting';
import { connection, fresh, snapshot } from './live/state';
import { HotRegions } from './pages/HotRegions';
import { Members } from './pages/Members';
import { Operators } from './pages/Operators';
import { Overview } from './pages/Overview';
import { Schedulers } from './pages/Schedulers';
import { Stores } from './pages/Stores';
import { path } from './router';

function Page() {
  switch (path.value) {
    case '/stores':
      return <Stores />;
    case '/operators':
      return <Operators />;
    case '/schedulers':
      return <Schedulers />;
    case '/hot':
      return <HotRegions />;
    case '/members':
      return <Members />;
    default:
      return <Overview />;
  }
}

export function App() {
  const old = snapshot.value !== null && !fresh.value && connection.value.state !== 'connecting';
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the figures
      </a>
      <Header />
      <ConnectionBanner />
      <main id="main" tabIndex={-1} class={old ? 'old' : ''}>
        {snapshot.value === null ? <Waiting /> : <Page />}
      </main>
    </>
  );
}
