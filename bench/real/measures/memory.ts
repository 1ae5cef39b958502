import { ThoughtbookError } from "thoughtbook/core";
import type { Contender, Contest } from "../contest.js";
import { peakDuring } from "../memory.js";
import { TITLES } from "../peer-list.js";
import { openProcesses } from "../processes.js";
import type { Setting } from "../setting.js";
import { textsOfLength } from "../texts.js";
import { generateOn } from "./replies.js";

const ROWS = 8;

/** The most resident memory of a fresh process while it opens the file and generates. */
export async function memory(setting: Setting): Promise<Contest[]> {
  const { tokens, seed, sizes } = setting;
  const { promptTokens, newTokens } = sizes;
  const prompts = (round: number) => textsOfLength(tokens, ROWS, promptTokens, `${seed}/memory/${round}`);
  const ways = [
    { name: "low memory", title: `${TITLES.fast}, low memory`, numerics: "fast", lowMemory: true },
    { name: "fast", title: TITLES.fast, numerics: "fast", lowMemory: false },
    { name: "exact", title: TITLES.exact, numerics: "exact", lowMemory: false },
    { name: "exact, low memory", title: `${TITLES.exact}, low memory`, numerics: "exact", lowMemory: true },
  ] as const;
  const contenders = ways
    .filter(({ numerics }) => setting.has(numerics))
    .map(
      ({ name, title, numerics, lowMemory }): Contender => ({
        name,
        title,
        async turn(round) {
          const processes = openProcesses();
          try {
            const peer = await processes.get(name, setting.engineCommand(numerics, { lowMemory }));
            const { megabytes } = await peakDuring(peer.pid, async () => {
              await generateOn(peer, prompts(round).slice(0, 1), newTokens);
              await generateOn(peer, prompts(round), newTokens);
            });
            if (megabytes !== undefined) return megabytes;
            throw new ThoughtbookError("execution", "this system does not tell how much memory a process has", {
              hint: "Measure on Linux.",
            });
          } finally {
            await processes.close();
          }
        },
      }),
    );
  return [
    await setting.contest({
      measure: "memory",
      title: `most resident memory while generating at batch 1 and ${ROWS}`,
      unit: "MiB",
      better: "less",
      conditions: { promptTokens, newTokens },
      contenders,
    }),
  ];
}
