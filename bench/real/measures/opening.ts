import { performance } from "node:perf_hooks";
import type { Contender, Contest } from "../contest.js";
import { llamaServerOpens } from "../llama-server.js";
import { TITLES } from "../peer-list.js";
import { openProcesses } from "../processes.js";
import type { Setting } from "../setting.js";
import { textsOfLength } from "../texts.js";
import { generateOn } from "./replies.js";

const FIRST_PROMPT = 8;

/** Seconds from the start of a process until it has given the first token of a short prompt: opening is part of that. */
export async function opening(setting: Setting): Promise<Contest[]> {
  const { llama, file, threads, tokens, seed } = setting;
  const prompt = textsOfLength(tokens, 1, FIRST_PROMPT, `${seed}/open`);
  const ways = [
    { name: "fast", title: TITLES.fast, numerics: "fast", lowMemory: false },
    { name: "fast, low memory", title: `${TITLES.fast}, low memory`, numerics: "fast", lowMemory: true },
    { name: "exact", title: TITLES.exact, numerics: "exact", lowMemory: false },
  ] as const;
  const contenders = ways
    .filter(({ numerics }) => setting.has(numerics))
    .map(({ name, title, numerics, lowMemory }): Contender => {
      const turn = async () => {
        const processes = openProcesses();
        const start = performance.now();
        try {
          const peer = await processes.get(name, setting.engineCommand(numerics, { lowMemory }));
          await generateOn(peer, prompt, 1);
          return (performance.now() - start) / 1000;
        } finally {
          await processes.close();
        }
      };
      return { name, title, warmUp: turn, turn };
    });
  if (llama !== undefined && setting.has("llama")) {
    const turn = () => llamaServerOpens(llama, file, threads);
    contenders.push({ name: "llama", title: "llama-server", warmUp: turn, turn });
  }
  return [
    await setting.contest({
      measure: "open",
      title: "from the start of the process to the first token",
      unit: "s",
      better: "less",
      conditions: { promptTokens: FIRST_PROMPT },
      contenders,
    }),
  ];
}
