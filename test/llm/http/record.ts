import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpModel } from "thoughtbook/llm";
import { type Exchange, play, type Recording } from "./scenario.js";

/**
 * Record what a real server answers, for the tests that replay it:
 *
 *   npx tsx test/llm/http/record.ts http://127.0.0.1:8080 llama.cpp b11434 "llama-server -m …" test/fixtures/llm/x.json
 */
const [origin, server, version, command, file] = process.argv.slice(2) as [string, string, string, string, string];
const exchanges: Exchange[] = [];
const proxy = createServer(async (request, response) => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const sent = Buffer.concat(pieces).toString();
  const { method, url } = request as { method: string; url: string };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${origin}${url}`, { method, headers, ...(sent ? { body: sent } : {}) });
  const [type, text] = [answer.headers.get("content-type") ?? "", await answer.text()];
  const body = sent ? { body: JSON.parse(sent) as Record<string, unknown> } : {};
  exchanges.push({ method, path: url, ...body, status: answer.status, type, answer: text });
  response.writeHead(answer.status, { "content-type": type });
  response.end(text);
});
await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/v1`;
const model = await createHttpModel({ baseUrl, apiKey: "", attempts: 1, concurrency: 1 });
console.log(JSON.stringify(await play(model), null, 1));
const recording: Recording = { server, version, command, dialect: model.dialect, exchanges };
writeFileSync(file, `${JSON.stringify(recording, null, 1)}\n`);
await model.dispose();
proxy.closeAllConnections();
proxy.close();
