import { writeProblem, createProblem } from "./train-step/problem.js";
import { TINY } from "../test/bench/tiny-models.js";
import { startPeer } from "./shared/peers.js";
import { z } from "zod";
await writeProblem("/tmp/bench-scratch/tiny", createProblem(TINY.gpt, 1));
const mk = (threads: number) => startPeer({ name: "e" + threads, command: process.execPath, arguments: ["--import", "tsx", "bench/train-step/peer-engine.ts", JSON.stringify({ problem: "/tmp/bench-scratch/tiny", threads })] });
const mt = (threads: number) => startPeer({ name: "t" + threads, command: "/tmp/venv/bin/python", arguments: ["bench/train-step/torch_peer.py", JSON.stringify({ problem: "/tmp/bench-scratch/tiny", threads, backend: "eager" })] });
const peers = [mk(2), mk(1), mt(2), mt(1)];
for (const p of peers) await p.request("prepare", {}, z.unknown());
for (let r = 0; r < 3; r++) for (const [m, k, n] of [[1024, 1024, 1024], [2048, 128, 512], [2048, 512, 128]] as const) {
  const out: string[] = [];
  for (const p of peers) {
    await new Promise((r) => setTimeout(r, 200));
    const { seconds } = (await p.request("product", { product: { batch: 1, m, k, n, transposeA: false, transposeB: false, count: 1 }, milliseconds: 400 }, z.object({ seconds: z.number() })));
    out.push(`${p.name} ${(2 * m * k * n / seconds / 1e9).toFixed(0)}`);
  }
  console.log(m, k, n, out.join("  "));
}
for (const p of peers) await p.close();
