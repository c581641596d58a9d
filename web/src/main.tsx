import { render } from 'preact';

import { App } from './app';
import { startLive } from './live/state';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';

startLive();
render(<App />, document.getElementById('app')!);
