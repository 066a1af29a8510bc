// Drives the Inspector's web page as a person would: connect, open a tool, fill it in, run it.
// Usage: node browser.mjs CHROMIUM URL TOOL ARGUMENTS-AS-JSON SCREENSHOT.png
// Prints what the page shows as the result. Every wait has an end.
import { chromium } from "playwright-core";

const [executablePath, url, tool, given, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
  ],
});
const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
page.setDefaultTimeout(30_000);
try {
  await page.goto(url);
  await page.getByRole("switch", { name: /Connect or disconnect/ }).click({ force: true });
  await page.getByText("Connected", { exact: true }).waitFor();

  await page.getByRole("banner").getByText("Tools", { exact: true }).click();
  await page.getByRole("main").getByRole("button").filter({ hasText: tool }).click();
  await page.getByRole("switch", { name: "Edit as JSON" }).click({ force: true });
  await write(given);
  await page.getByRole("button", { name: "Execute Tool" }).click();

  await page.getByRole("heading", { name: "Results" }).waitFor();
  await page.getByRole("heading", { name: "Structured Output" }).waitFor();
  console.log((await page.getByRole("main").innerText()).trim());
} finally {
  await page.screenshot({ path: screenshot });
  await browser.close();
}

async function write(text) {
  const editor = page.locator(".ace_editor, textarea").first();
  await editor.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
}
