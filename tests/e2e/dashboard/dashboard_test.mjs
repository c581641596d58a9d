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

/** What a test needs of the servers: where the page is opened, and how the one that leads is lost and comes back. */
async function startFake(cluster) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...process.env, STATIC: options.fake, WARM: '0' };
  const script = join(web, 'dev/fake-server.mjs');
  const start = () => cluster.start('fake', process.execPath, [script, `${port}`], { env });
  let running = start();
  await until('the fake server is up', () => fetch(`${url}/dashboard/`));
  return {
    url,
    lose: () => cluster.kill(running),
    restore: () => {
      running = start();
    },
  };
}

async function startGroup(cluster) {
  const members = [];
  for (const name of ['pd1', 'pd2', 'pd3']) {
    const client = `http://127.0.0.1:${await freePort()}`;
    members.push({ name, client, peer: `http://127.0.0.1:${await freePort()}` });
  }
  const initial = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const start = (member) => {
    const { name, client, peer } = member;
    const flags = {
      name,
      'data-dir': join(cluster.directory, name),
      'client-urls': client,
      'advertise-client-urls': client,
      'peer-urls': peer,
      'advertise-peer-urls': peer,
      'initial-cluster': initial,
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    member.process = cluster.start(name, options.server, args);
  };
  members.forEach(start);
  const leader = async () => {
    for (const { client } of members) {
      const answer = await fetch(`${client}/pd/api/v1/leader`).catch(() => null);
      if (answer?.status === 200) return (await answer.json())?.name;
    }
    return undefined;
  };
  const name = await until('a member leads', leader);
  let lost;
  return {
    // At a member that follows: the page has to find the leader.
    url: members.find((member) => member.name !== name).client,
    stores: members.map(({ client }) => client).join(','),
    lose: async () => {
      const now = await until('a member leads', leader);
      lost = members.find((member) => member.name === now);
      await cluster.kill(lost.process);
    },
    restore: () => start(lost),
  };
}

function startStores(cluster, urls) {
  const scenario = join(here, 'scenario.json');
  cluster.start('storesim', options.storesim, ['--pd', urls, '--scenario', scenario, '--hold']);
}

const text = (page, id) => page.getByTestId(id).textContent();
/** The first column of the balance board: ids of stores are the server's choice. */
const firstBar = (page) => page.locator('[data-testid^=bar-leaders-]').first();
const leadersOfFirst = async (page) =>
  Number((await firstBar(page).textContent()).replaceAll(',', ''));
async function shoot(page, name) {
  if (process.env.SHOTS)
    await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
}

async function watchSchedulers(page) {
  await page.getByRole('link', { name: 'Schedulers', exact: true }).click();
  const leaders = page.getByTestId('scheduler-balance-leader-scheduler');
  await leaders.locator('.badge', { hasText: 'Running' }).waitFor({ timeout: STEP_MS });
  await until(
    'balance-leader says what it did last',
    async () => /Last did.*transfer leader: store \d+ to \d+/s.test(await leaders.innerText()),
    STEP_MS,
  );
  assert.match(await text(page, 'proposed-balance-leader-scheduler'), /^[1-9]/);
  // At the latest when it is balanced it gives a reason for every store.
  await leaders.locator('.by-store .chip').first().waitFor({ timeout: STEP_MS });
  await shoot(page, 'schedulers');
}

async function watchHotRegions(page) {
  await page.getByRole('link', { name: 'Hot regions', exact: true }).click();
  const shares = page.locator('[data-testid^=load-]:not([data-testid^=load-of-])');
  const stores = page.locator('[data-testid^=load-of-]');
  for (const flow of ['Reads', 'Writes']) {
    await page.getByRole('button', { name: flow, exact: true }).click();
    await page.getByRole('heading', { name: `bears the ${flow.toLowerCase()}, by bytes` }).waitFor();
    await shares.first().waitFor({ timeout: STEP_MS });
    const parts = await shares.allTextContents();
    const sum = parts.reduce((total, part) => total + Number.parseFloat(part), 0);
    assert.ok(sum > 95 && sum < 105, `the shares ${parts} are those of one whole`);
    assert.equal(await stores.count(), parts.length);
    await shoot(page, `hot-${flow.toLowerCase()}`);
  }
  await page.getByRole('group', { name: 'Count' }).getByText('Queries').click();
  await page.getByRole('heading', { name: 'bears the writes, by queries' }).waitFor();
  if (options.fake) {
    const regions = page.locator('[data-testid^=hot-]');
    assert.equal(await regions.count(), 10);
    const peers = await regions.allTextContents();
    await page.getByRole('button', { name: 'Leaders', exact: true }).click();
    await until(
      'only leaders are listed',
      async () => (await regions.getByText('Follower').count()) === 0,
    );
    assert.ok(peers.some((row) => row.includes('Follower')));
  }
}

async function watch(page, cluster, server) {
  const live = () => page.locator('[data-testid=connection].live').waitFor({ timeout: STEP_MS });
  await page.goto(`${server.url}/dashboard/`);
  await live();
  if (options.server) {
    await page.getByRole('heading', { name: 'No stores yet' }).waitFor({ timeout: STEP_MS });
    await shoot(page, 'empty');
    startStores(cluster, server.stores);
  }

  await firstBar(page).waitFor({ timeout: STEP_MS });
  await until(
    'an operator is shown with its reason',
    async () => (await page.locator('.op .why').count()) > 0,
    STEP_MS,
  );
  await shoot(page, 'moving');
  const before = await leadersOfFirst(page);
  await until(
    `the leaders of the first store change from ${before}`,
    async () => (await leadersOfFirst(page)) !== before,
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
  const row = page.locator('tbody tr').first();
  await row.waitFor();
  assert.match(await row.textContent(), /Up/);
  await page.getByRole('searchbox').fill('no such store');
  await page.getByText('No store matches').waitFor();
  await page.getByRole('searchbox').fill('');
  await shoot(page, 'stores');
  await page.getByRole('link', { name: /^Operators/ }).click();
  await page.getByTestId('operator').first().waitFor();
  await shoot(page, 'operators');
  await watchSchedulers(page);
  await watchHotRegions(page);
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByText('PD leader').waitFor();
  await shoot(page, 'members');

  await page.getByRole('link', { name: 'Overview' }).click();
  const leader = page.getByTestId('tile-leader').locator('.value');
  const lost = await leader.textContent();
  await server.lose();
  await page.getByText('does not answer').waitFor({ timeout: STEP_MS });
  await shoot(page, 'lost');
  if (options.fake) server.restore();
  await live();
  await firstBar(page).waitFor({ timeout: STEP_MS });
  if (options.server) {
    const next = async () => (await leader.textContent()) !== lost;
    await until('another member leads', next, STEP_MS);
    await page.locator('.banner').waitFor({ state: 'detached', timeout: STEP_MS });
  }
  await shoot(page, 'again');
  if (options.server) server.restore();
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
  const server = options.fake ? await startFake(cluster) : await startGroup(cluster);
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
