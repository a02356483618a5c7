// The public CDS Hooks sandbox in a real browser: cards on screen for patient-view, order-select and order-sign,
// a suggestion accepted, a card dismissed with a reason. See README.md for what must run beside it.
// node sandbox.mjs SANDBOX DOSEGATE FHIR PATIENT FOLDER
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const { chromium } = createRequire(`${process.cwd()}/`)('playwright-core');
const [sandbox, dosegate, fhir, patient, folder] = process.argv.slice(2);
// The sandbox orders the pills of 2014, so it is given one more medicine. It knows no RxNorm code of its own.
const MEDICINE = 'inebilizumab-cdon 10 MG/ML Injection [Uplizna]';
const ADDED = [
  ['cuiToName:{', `999001:"${MEDICINE}",999002:"Uplizna Injectable Product",`],
  ['pillToComponentSets:{', '999002:[["999003"]],'],
  ['componentSetsToPrescribables:{', '999003:["999001"],'],
];
let hook = 'patient-view';
const problems = [];

async function routed(route) {
  const request = route.request();
  const url = new URL(request.url());
  if (!['127.0.0.1', 'localhost'].includes(url.hostname)) return route.abort();
  if (url.pathname.endsWith('/app.bundle.js')) {
    const response = await route.fetch();
    let body = await response.text();
    for (const [place, text] of ADDED) body = body.replace(place, place + text);
    return route.fulfill({ response, body });
  }
  if (url.pathname === '/cds-services' && request.method() === 'GET') {
    // It keeps one service for each address: of several hooks under one id, the last one alone.
    const response = await route.fetch();
    const services = (await response.json()).services.filter((each) => each.hook === hook);
    return route.fulfill({ response, json: { services } });
  }
  return route.continue();
}

async function told(response) {
  if (!response.url().startsWith(dosegate) || response.request().method() === 'OPTIONS') return;
  const address = response.url().slice(dosegate.length);
  const body = await response.text().catch(() => '');
  console.log(`${response.request().method()} ${address} ${response.status()}`);
  if (response.status() !== 200) problems.push(`${address}: ${response.status()}`);
  if (address.endsWith('/feedback')) console.log(`  ${response.request().postData()}`);
  if (body.startsWith('{"cards"')) {
    for (const card of JSON.parse(body).cards) console.log(`  ${card.indicator}: ${card.summary}`);
  }
}

const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  viewport: { width: 1500, height: 1100 },
});
await browser.route('**/*', routed);
const page = browser.pages()[0] ?? (await browser.newPage());
page.on('response', told);

async function open(next, screen) {
  hook = next;
  const asked = { fhirServiceUrl: fhir, patientId: patient, hook, screen, serviceDiscoveryURL: `${dosegate}/cds-services` };
  const discovered = page.waitForResponse((each) => each.url() === `${dosegate}/cds-services`);
  await page.goto(`${sandbox}/?${new URLSearchParams(asked)}`);
  await discovered;
}

const answered = () => page.waitForResponse((each) => each.request().method() === 'POST' && each.url().startsWith(dosegate));
const shot = (name) => page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
const cards = () => page.getByText('Open the checklist').first().waitFor();

async function choose() {
  await page.fill('input[name=medication-input]', 'inebil');
  await page.getByRole('button', { name: MEDICINE }).first().click();
}

fs.mkdirSync(folder, { recursive: true });
await open('patient-view', 'patient-view');
await cards();
await shot('patient-view');

await open('order-select', 'rx-view');
await choose();
await cards();
await shot('order-select');

await open('order-sign', 'rx-sign');
await choose();
await page.getByRole('button', { name: /sign order/i }).click();
await cards();
await shot('order-sign');

const accepted = answered();
await page.getByRole('button', { name: /^Order / }).first().click();
await accepted;
const dismissed = answered();
await page.locator('[aria-label="select dismiss reason"]').first().click();
await page.locator('[role=menuitem]').nth(1).click();
await dismissed;
await shot('after');
await page.waitForTimeout(300);
await browser.close();
fs.rmSync(profile, { recursive: true, force: true });
if (problems.length) {
  console.error(problems.join('\n'));
  process.exit(1);
}
