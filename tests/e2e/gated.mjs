// One gated call made by the TypeScript client, as a host built on it would make it.
// Usage: node gated.mjs TARGET-AS-JSON ERA WAY TOOL ARGUMENTS-AS-JSON
//   TARGET  {"url": "http://…"} or {"command": "…", "args": […], "env": {…}}
//   ERA     legacy (2025-11-25) or auto (2026-07-28)
//   WAY     form, url or none: what the client declares, and how it answers when it is asked.
//           A form is answered by typing the code that stands in it, a link is opened by a GET.
// Prints one JSON object: the structured result and the questions that were asked.
// The client itself holds every structured result against the tool's output schema.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [target, era, way, tool, given] = process.argv.slice(2);
const declared = { form: { elicitation: { form: {} } }, url: { elicitation: { url: {} } }, none: {} };
const client = new Client(
  { name: "ts-client", version: "2" },
  { capabilities: declared[way], versionNegotiation: { mode: era } },
);
const asked = [];
if (way !== "none") {
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    asked.push(params);
    if (params.mode === "url") {
      await fetch(params.url);
      return { action: "accept" };
    }
    const code = params.message.match(/\b[0-9A-HJKMNP-TV-Z]{8}\b(?!.*\b[0-9A-HJKMNP-TV-Z]{8}\b)/s)[0];
    return { action: "accept", content: { decision: "approve", code } };
  });
}
const where = JSON.parse(target);
const transport = where.url
  ? new StreamableHTTPClientTransport(new URL(where.url))
  : new StdioClientTransport({ ...where, stderr: "inherit" });
await client.connect(transport);
try {
  await client.listTools();
  const result = await client.callTool({ name: tool, arguments: JSON.parse(given) });
  const { structuredContent, isError } = result;
  console.log(JSON.stringify({ result: structuredContent, isError: Boolean(isError), asked }));
} finally {
  await client.close();
}
