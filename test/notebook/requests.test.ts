import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dealer } from "zeromq";
import { kernelCommand } from "../../lib/dist/notebook/kernel.js";
import { root, temporaryFolder } from "./helpers.js";

/** What a front end does beside executing cells, over the sockets themselves. */
describe("the kernel answers", () => {
  const key = "secret";
  let child: ChildProcess;
  let shell: Dealer;
  let control: Dealer;

  beforeAll(async () => {
    const file = join(temporaryFolder(afterAll), "connection.json");
    const names = ["shell", "iopub", "stdin", "control", "hb"];
    const ports = await freePorts(names.length);
    const connection = Object.fromEntries(names.map((name, at) => [`${name}_port`, ports[at]]));
    const fixed = { transport: "tcp", ip: "127.0.0.1", signature_scheme: "hmac-sha256", key };
    writeFileSync(file, JSON.stringify({ ...fixed, ...connection }));
    const [command, ...args] = kernelCommand().map((part) => part.replace("{connection_file}", file));
    child = spawn(command!, args, { cwd: root, stdio: "ignore" });
    [shell, control] = [new Dealer({ linger: 0 }), new Dealer({ linger: 0 })];
    shell.connect(`tcp://127.0.0.1:${connection.shell_port}`);
    control.connect(`tcp://127.0.0.1:${connection.control_port}`);
    await ask("kernel_info_request", {});
  }, 60_000);
  afterAll(() => {
    child?.kill("SIGKILL");
    for (const socket of [shell, control]) socket?.close();
  });

  async function ask(type: string, content: object, socket = shell): Promise<{ type: string; content: object }> {
    const header = { msg_id: randomUUID(), msg_type: type, session: "s", username: "u", date: "", version: "5.3" };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    await socket.send(["<IDS|MSG>", hmac.digest("hex"), ...parts]);
    for await (const frames of socket) {
      const [reply, parent, , answer] = frames.slice(2).map((frame) => JSON.parse(String(frame)));
      if (parent.msg_id === header.msg_id) return { type: reply.msg_type, content: answer };
    }
    throw new Error("the socket was closed");
  }
  const execute = (code: string, options = {}) => ask("execute_request", { code, ...options });

  it("who it is", async () => {
    const { content } = await ask("kernel_info_request", {});
    expect(content).toMatchObject({
      status: "ok",
      implementation: "thoughtbook",
      language_info: { name: "typescript" },
    });
    expect((content as { language_info: { version: string } }).language_info.version).toMatch(/^5\./);
  });

  it("the history of its cells", async () => {
    await execute("const first = 1;");
    await execute("first + 1");
    await execute("const hidden = 1;", { silent: true });
    await execute("const unkept = 1;", { store_history: false });
    const history = async (request: object) => {
      const { type, content } = await ask("history_request", { output: false, raw: true, ...request });
      expect(type).toBe("history_reply");
      return (content as { history: unknown[] }).history;
    };
    const all = [
      [1, 1, "const first = 1;"],
      [1, 2, "first + 1"],
    ];
    expect(await history({ hist_access_type: "tail", n: 100 })).toEqual(all);
    expect(await history({ hist_access_type: "tail", n: 1 })).toEqual(all.slice(1));
    expect(await history({ hist_access_type: "range", session: 0, start: 1, stop: 2 })).toEqual(all.slice(0, 1));
    expect(await history({ hist_access_type: "range", session: -1, start: 0 })).toEqual([]);
    expect(await history({ hist_access_type: "search", pattern: "first*", n: 5 })).toEqual(all.slice(1));
    expect(await history({ hist_access_type: "tail", n: 1, output: true })).toEqual([[1, 2, ["first + 1", null]]]);
  });

  it("completions and inspections with what earlier cells declared", async () => {
    await execute("const wordCount = 3;");
    expect((await ask("complete_request", { code: "wordC", cursor_pos: 5 })).content).toMatchObject({
      status: "ok",
      matches: expect.arrayContaining(["wordCount"]),
    });
    const { content } = await ask("inspect_request", { code: "wordCount", cursor_pos: 4, detail_level: 0 });
    expect(JSON.stringify(content)).toContain("const wordCount: 3");
    expect((await ask("is_complete_request", { code: "if (true) {" })).content).toMatchObject({ status: "incomplete" });
  });

  it("what it has nothing for", async () => {
    const comms = await ask("comm_info_request", { target_name: "jupyter.widget" });
    expect(comms).toEqual({ type: "comm_info_reply", content: { status: "ok", comms: {} } });
    expect(await ask("debug_request", { type: "request", command: "attach" }, control)).toMatchObject({
      type: "debug_reply",
      content: { status: "error", evalue: "this kernel knows no debug_request" },
    });
  });

  it("an interruption that comes as a message", async () => {
    const cell = execute("await new Promise(() => {});");
    // The two sockets race: an interruption that comes before the cell begins is not for it.
    for (let ended = false; !ended; ) {
      const { type, content } = await ask("interrupt_request", {}, control);
      expect({ type, content }).toEqual({ type: "interrupt_reply", content: { status: "ok" } });
      ended = await Promise.race([cell.then(() => true), delay(1000, false)]);
    }
    expect((await cell).content).toMatchObject({ status: "error", ename: "Interrupted" });
    expect((await execute("1")).content).toMatchObject({ status: "ok" });
  });

  it("that it ends, although a cell left a timer", async () => {
    await execute("setInterval(() => {}, 1000); null;");
    const ended = once(child, "exit");
    const { type, content } = await ask("shutdown_request", { restart: true }, control);
    expect({ type, content }).toEqual({ type: "shutdown_reply", content: { status: "ok", restart: true } });
    expect(await ended).toEqual([0, null]);
  });
});

async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
