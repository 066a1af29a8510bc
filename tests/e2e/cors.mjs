// A page of some origin, in a real browser, that lists tools and calls one by plain `fetch`.
// Usage: node cors.mjs CHROMIUM PAGE-URL SERVER-URL TOKEN
// Prints one JSON value: what the page could read, or the error that the browser gave it.
import { chromium } from "playwright-core";

const [executablePath, page_url, server, token] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(page_url);
  console.log(JSON.stringify(await page.evaluate(calls, [server, token])));
} finally {
  await browser.close();
}

async function calls([server, token]) {
  const version = "2026-07-28";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "page", version: "1" },
  };
  async function ask(method, params, headers = {}) {
    const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } };
    const named = params.name ? { "Mcp-Name": params.name } : {};
    const answer = await fetch(server, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
        "Mcp-Method": method,
        ...named,
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const challenge = answer.headers.get("WWW-Authenticate");
    return { status: answer.status, challenge, body: await answer.json() };
  }
  const bearer = { Authorization: `Bearer ${token}` };
  const called = { name: "list_workflows", arguments: {} };
  const found = { origin: location.origin };
  // What no preflight asks about: the browser sends it, and the server must not act on it.
  const simple = { method: "POST", body: "{}", headers: { "Content-Type": "text/plain" } };
  try {
    found.opaque = (await fetch(server, { ...simple, mode: "no-cors" })).type;
    found.stranger = (await ask("tools/list", {})).challenge;
    found.tools = (await ask("tools/list", {}, bearer)).body.result.tools.map((tool) => tool.name);
    found.called = (await ask("tools/call", called, bearer)).body.result.structuredContent.status;
  } catch (error) {
    found.error = String(error);
  }
  return found;
}
