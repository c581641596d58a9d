// Opens the dashboard in Chromium against a cluster that balances itself and watches the figures move.
//
//   node dashboard_test.mjs --server pd-server --storesim pd-storesim    the real thing
//   node dashboard_test.mjs --fake dist                                  the built page on the fake server of web/dev
//
// SHOTS=dir keeps pictures of every page.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Cluster, freePort, until } from './cluster.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, '../../../web');
const { chromium } = createRequire(join(web, 'package.json'))('playwright-core');
const { values: options } = parseArgs({
  options: { server: { type: 'string' }, storesim: { type: 'string' }, fake: { type: 'string' } },
});
const STEP_MS = 120_000;

async function startFake(cluster) {
  const port = await freePort();
  const env = { ...process.env, STATIC: options.fake, WARM: '0' };
  const start = () =>
    cluster.start('fake', process.execPath, [join(web, 'dev/fake-server.mjs'), `${port}`], { env });
  return { url: `http://127.0.0.1:${port}`, process: start(), restart: start };
}

async function startServer(cluster) {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const args = [
    '--name',
    'pd1',
    '--data-dir',
    join(cluster.directory, 'pd1'),
    '--client-urls',
    url,
    '--advertise-client-urls',
    url,
    '--peer-urls',
    peerUrl,
    '--advertise-peer-urls',
    peerUrl,
    '--initial-cluster',
    `pd1=${peerUrl}`,
    '--log-file',
    join(cluster.directory, 'pd1.log'),
  ];
  const start = () => cluster.start('pd-server', options.server, args);
  const started = { url, process: start(), restart: start };
  await until(
    'the server leads',
    async () => (await fetch(`${url}/pd/api/v1/leader`)).status === 200,
  );
  return started;
}

function startStores(cluster, url) {
  const scenario = join(here, 'scenario.json');
  cluster.start('storesim', options.storesim, ['--pd', url, '--scenario', scenario, '--hold']);
}

const text = (page, id) => page.getByTestId(id).textContent();
const leadersOf = async (page, store) =>
  Number((await text(page, `bar-leaders-${store}`)).replaceAll(',', ''));
async function shoot(page, name) {
  if (process.env.SHOTS)
    await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
}

async function watch(page, cluster, server) {
  const live = () => page.locator('[data-testid=connection].live').waitFor({ timeout: STEP_MS });
  await page.goto(`${server.url}/dashboard/`);
  await live();
  if (options.server) {
    await page.getByRole('heading', { name: 'No stores yet' }).waitFor({ timeout: STEP_MS });
    await shoot(page, 'empty');
    startStores(cluster, server.url);
  }

  await page.getByTestId('bar-leaders-1').waitFor({ timeout: STEP_MS });
  await until(
    'an operator is shown with its reason',
    async () => (await page.locator('.op .why').count()) > 0,
    STEP_MS,
  );
  await shoot(page, 'moving');
  const before = await leadersOf(page, 1);
  await until(
    `the leaders of store 1 change from ${before}`,
    async () => (await leadersOf(page, 1)) !== before,
    STEP_MS,
  );
  const ended = page.getByTestId('tile-operators').locator('.note');
  await until('operators end', async () => !(await ended.textContent()).startsWith('0 '), STEP_MS);
  if (options.server) {
    await until(
      'leaders are even',
      async () => (await text(page, 'verdict')).startsWith('even'),
      STEP_MS,
    );
    await shoot(page, 'balanced');
  }

  await page.getByRole('link', { name: 'Stores', exact: true }).click();
  await page.getByTestId('store-1').waitFor();
  assert.match(await text(page, 'store-1'), /Up/);
  await page.getByRole('searchbox').fill('no such store');
  await page.getByText('No store matches').waitFor();
  await page.getByRole('searchbox').fill('');
  await shoot(page, 'stores');
  await page.getByRole('link', { name: /^Operators/ }).click();
  await page.getByTestId('operator').first().waitFor();
  await shoot(page, 'operators');
  await page.getByRole('link', { name: 'Members' }).click();
  assert.match(await text(page, 'member-pd1'), /PD leader/);
  await shoot(page, 'members');

  await cluster.kill(server.process);
  await page.getByText('does not answer').waitFor({ timeout: STEP_MS });
  await shoot(page, 'lost');
  server.restart();
  await live();
}

const cluster = new Cluster();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
const broken = [];
page.on('pageerror', (error) => broken.push(error.message));
try {
  const server = options.fake ? await startFake(cluster) : await startServer(cluster);
  if (options.fake) await until('the fake server is up', () => fetch(`${server.url}/dashboard/`));
  await watch(page, cluster, server);
  assert.deepEqual(broken, []);
  console.log('the figures moved');
} catch (error) {
  console.error(error);
  console.error('page:', (await page.locator('body').innerText()).slice(0, 2000));
  for (const { name } of cluster.processes)
    console.error(`--- ${name}\n${cluster.log(name).slice(-3000)}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await cluster.stop();
}
