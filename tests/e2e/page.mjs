// A browser whose hands are elsewhere: each line on stdin is one thing to do, each line on stdout
// says how the page looks after it. Script is off: the page has to work without.
// Usage: node page.mjs CHROMIUM     {"do": "open", "url": "http://..."} and so on; every wait has an end.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
  ],
});
const context = await browser.newContext({
  javaScriptEnabled: false, viewport: { width: 1000, height: 900 }, serviceWorkers: "block",
});
const page = await context.newPage();
page.setDefaultTimeout(15_000);
const complaints = [];
page.on("console", (message) => complaints.push(message.text()));

const doings = {
  open: ({ url }) => page.goto(url),
  fill: ({ label, value }) => page.getByLabel(label).fill(value),
  tick: ({ label, on }) => page.getByLabel(label).setChecked(on),
  pick: ({ label }) => page.getByLabel(label).check(),
  press: ({ name }) => page.getByRole("button", { name, exact: true }).click(),
  follow: ({ name }) => page.getByRole("link", { name }).first().click(),
  key: ({ key }) => page.keyboard.press(key),
  until: ({ text }) => page.getByText(text).first().waitFor(),
  look: async ({ path, width = 1000, scheme = "light" }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path, fullPage: true });
  },
  frame: ({ url }) => page.setContent(`<iframe src="${url}"></iframe>`),
};

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  let error = "";
  try {
    await doings[step.do](step);
    await page.waitForLoadState();
  } catch (problem) {
    error = String(problem);
  }
  const text = await page.locator("body").innerText().catch(() => "");
  const focused = page.locator(":focus"); // which need not be there, and is not waited for
  const focus = (await focused.count()) ? await focused.innerText().catch(() => "") : "";
  console.log(JSON.stringify({ error, url: page.url(), text, focus, complaints }));
}
await browser.close();
