// Opens a running gateway's GraphiQL in a real browser, as a newcomer would: runs the first seeded tab and looks
// for data, runs a subscription tab and waits for an event that a mutation causes, tries a deep link and the page
// at /graphql. Any request to another origin, error on the console or refused answer fails the run.
//
//   node graphiql.mjs http://127.0.0.1:4000 [--prepare ProductPage --prepare CartCreate] [--subscription CartLive] [--trigger CartAdd]
//                     [--login] [--screenshots DIR] [--browser /usr/bin/chromium]
//
// --prepare, --subscription and --trigger name seeded tabs by their operation; the trigger is sent by fetch, its
// "{{placeholders}}" filled with what the page has remembered. Prints one JSON object; exit code 0 only if all held.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prepare: { type: 'string', multiple: true, default: ['ProductPage', 'CartCreate'] },
    subscription: { type: 'string', default: 'CartLive' },
    trigger: { type: 'string', default: 'CartAdd' },
    login: { type: 'boolean', default: false },
    screenshots: { type: 'string' },
    browser: { type: 'string', default: '/usr/bin/chromium' },
    patience: { type: 'string', default: '30000' },
  },
});
const gateway = new URL(positionals[0] ?? 'http://127.0.0.1:4000');
const patience = Number(flags.patience);
const checks = {};
const seen = { requests: 0, foreign: [], console: [], sockets: [] };
const nameOf = (query) => /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];

function watch(context) {
  context.on('request', (request) => {
    seen.requests += 1;
    const url = new URL(request.url());
    const own = url.origin === gateway.origin || url.protocol === 'data:' || url.protocol === 'blob:';
    if (!own) seen.foreign.push(request.url());
  });
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      seen.sockets.push(socket.url());
      if (new URL(socket.url()).host !== gateway.host) seen.foreign.push(socket.url());
    });
    page.on('pageerror', (error) => seen.console.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') seen.console.push(message.text());
    });
  });
}

/** What the response editor holds; the screen shows only the lines that fit. */
const responseOf = (page) =>
  page.evaluate(() => {
    const model = globalThis.__MONACO?.editor.getModels().find((one) => one.uri.path.endsWith('response.json'));
    const text = model?.getValue() ?? '';
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  });

async function waitForResponse(page, accept) {
  const deadline = Date.now() + patience;
  let last = null;
  while (Date.now() < deadline) {
    last = await responseOf(page);
    if (last !== null && accept(last)) return last;
    await page.waitForTimeout(100);
  }
  throw new Error(`no such answer in ${patience} ms; the last one: ${JSON.stringify(last)?.slice(0, 400)}`);
}

const runButton = (page) => page.locator('.graphiql-execute-button');
const tab = (page, name) => page.locator('.graphiql-tab-button').getByText(name, { exact: true });

/** Opens a tab and waits until the editors show it: its operation, and no answer of the tab before. */
async function openTab(page, name) {
  await tab(page, name).click({ timeout: patience });
  await page.waitForFunction(
    (operation) => {
      const valueOf = (end) => globalThis.__MONACO.editor.getModels().find((one) => one.uri.path.endsWith(end))?.getValue();
      return valueOf('operation.graphql')?.includes(operation) && valueOf('response.json') === '';
    },
    name,
    { timeout: patience },
  );
}


async function open(page, path) {
  await page.goto(new URL(path, gateway).href);
  await runButton(page).waitFor({ timeout: patience });
  await page.waitForFunction(
    () => globalThis.__MONACO?.editor.getModels().some((one) => one.uri.path.endsWith('response.json')),
    null,
    { timeout: patience },
  );
}

const picture = (page, name) =>
  flags.screenshots ? page.screenshot({ path: join(flags.screenshots, `${name}.png`) }) : undefined;

async function check(name, body) {
  try {
    checks[name] = { ok: true, saw: await body() };
  } catch (error) {
    checks[name] = { ok: false, why: error.message };
  }
}

const hasData = (answer) => answer.data != null && !answer.errors;
const brief = (answer) => JSON.stringify(answer).slice(0, 160);

async function firstTab(page) {
  await open(page, '/graphiql');
  await runButton(page).click();
  const answer = await waitForResponse(page, hasData);
  const visible = await page.locator('.result-window').innerText();
  if (!visible.includes('data')) throw new Error(`the answer is not on the screen: ${visible.slice(0, 200)}`);
  await picture(page, '1-first-tab');
  return brief(answer);
}

async function logIn(page) {
  const button = page.locator('.shop-login').first();
  await button.click({ timeout: patience });
  await page.locator('.shop-login[aria-pressed=true]').waitFor({ timeout: patience });
  await picture(page, '2-logged-in');
  return page.evaluate(() => {
    const model = globalThis.__MONACO.editor.getModels().find((one) => one.uri.path.endsWith('headers.json'));
    const headers = JSON.parse(model?.getValue() || '{}');
    if (!headers.Authorization?.startsWith('Bearer ')) throw new Error('the headers have no token');
    return 'Authorization: Bearer …';
  });
}

async function subscriptionTab(page, { tabs, known = {} }) {
  for (const name of flags.prepare) {
    await openTab(page, name);
    await runButton(page).click();
    await waitForResponse(page, hasData);
  }
  await openTab(page, flags.subscription);
  const before = seen.sockets.length;
  const isSubscribe = { predicate: (frame) => `${frame.payload}`.includes('"subscribe"'), timeout: patience };
  const subscribed = page
    .waitForEvent('websocket', { timeout: patience })
    .then((socket) => socket.waitForEvent('framesent', isSubscribe));
  subscribed.catch(() => undefined); // awaited below; a failure before that is reported there
  await runButton(page).click();
  await subscribed;
  const trigger = tabs.find((tab) => nameOf(tab.query) === flags.trigger);
  if (!trigger) throw new Error(`no seeded tab ${flags.trigger}`);
  // Sent more than once: the subgraph may not have begun to listen when the first one arrives.
  const deadline = Date.now() + patience;
  let answer = null;
  while (Date.now() < deadline && !(answer && hasData(answer))) {
    await page.evaluate(send, { endpoint: '/graphql', trigger, known });
    await page.waitForTimeout(500);
    answer = await responseOf(page);
  }
  if (!(answer && hasData(answer))) throw new Error(`no event; the last answer: ${JSON.stringify(answer)?.slice(0, 400)}`);
  if (seen.sockets.length === before) throw new Error('the subscription opened no socket');
  await picture(page, '3-subscription');
  return brief(answer);
}

/** Runs in the page: sends an operation with its placeholders filled from what the page remembers. */
async function send({ endpoint, trigger, known }) {
  const values = { ...known, ...JSON.parse(sessionStorage.getItem('graphiql:remembered') ?? '{}') };
  const fill = (value) => {
    if (typeof value === 'string') {
      const name = /^\{\{\s*(\w+)\s*\}\}$/.exec(value)?.[1];
      if (name === undefined) return value;
      return name === 'newKey' ? `browser-${Date.now()}-${Math.random()}`.replace('0.', '') : values[name];
    }
    if (Array.isArray(value)) return value.map(fill);
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
    }
    return value;
  };
  // As whoever the page is logged in as: a user's cart is nobody else's.
  const model = globalThis.__MONACO.editor.getModels().find((one) => one.uri.path.endsWith('headers.json'));
  const own = JSON.parse(model?.getValue() || '{}');
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { ...own, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: trigger.query, variables: fill(trigger.variables ?? {}) }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(`the trigger was refused: ${JSON.stringify(answer.errors).slice(0, 300)}`);
}

async function deepLink(page) {
  await open(page, `/graphql?query=${encodeURIComponent('query DeepLink { __typename }')}`);
  await tab(page, 'DeepLink').waitFor({ timeout: patience });
  await runButton(page).click();
  return brief(await waitForResponse(page, (answer) => answer.data?.__typename === 'Query'));
}

const profile = mkdtempSync(join(tmpdir(), 'graphiql-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: flags.browser,
  headless: true,
  viewport: { width: 1400, height: 860 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
try {
  watch(context);
  const configuration = await (await fetch(new URL('/graphiql/tabs.json', gateway))).json();
  const page = await context.newPage();
  await check('the first seeded tab shows data', () => firstTab(page));
  if (flags.login) await check('a demo user logs in by button', () => logIn(page));
  await check('a subscription tab receives an event', () => subscriptionTab(page, configuration));
  const other = await context.newPage();
  await check('a deep link opens its operation at /graphql', () => deepLink(other));
  await check('no request leaves the origin', () => {
    if (seen.foreign.length > 0) throw new Error(seen.foreign.join(' '));
    return `${seen.requests} requests, ${seen.sockets.length} sockets`;
  });
  await check('the console shows no error', () => {
    if (seen.console.length > 0) throw new Error(seen.console.join(' | '));
  });
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
const ok = Object.values(checks).every((one) => one.ok);
console.log(JSON.stringify({ ok, checks }, null, 2));
process.exit(ok ? 0 : 1);
