import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readJsonl } from "../../lib/dist/core/index.js";
import {
  type Engine,
  type ExportTrainingOptions,
  exportTraining,
  type Method,
  RECIPES,
} from "../../lib/dist/export/index.js";

const folder = () => mkdtemp(join(tmpdir(), "export-"));

async function exported(rows: readonly unknown[], options: Partial<ExportTrainingOptions> & { engine: Engine }) {
  const place = await folder();
  const data = join(place, "rows.jsonl");
  await writeFile(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const out = join(place, "out");
  const result = await exportTraining({ method: "sft", recipe: RECIPES.plain, data, out, ...options });
  const written: unknown[] = [];
  for await (const { value } of readJsonl(join(out, "data", "train.jsonl"))) written.push(value);
  const read = (name: string) => readFile(join(out, name), "utf8");
  return { ...result, written, read };
}

const CONVERSATION = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "1 + 1?" },
    { role: "assistant", content: "2" },
    { role: "user", content: "and 1 more?" },
    { role: "assistant", content: "3" },
  ],
};
const ONE = {
  conversations: [
    { from: "human", value: "1 + 1?" },
    { from: "gpt", value: "2" },
  ],
  system: "Be brief.",
};

describe("rows for trainers", () => {
  it("writes a row a learned reply, with everything before it", async () => {
    const { written, rows } = await exported([CONVERSATION], { engine: "trl" });
    expect(rows).toBe(2);
    expect(written).toEqual([
      { prompt: CONVERSATION.messages.slice(0, 2), completion: [CONVERSATION.messages[2]] },
      { prompt: CONVERSATION.messages.slice(0, 4), completion: [CONVERSATION.messages[4]] },
    ]);
  });

  it("leaves masked replies in the prompt, and gives them no row", async () => {
    const messages = CONVERSATION.messages.map((turn, at) => (at === 2 ? { ...turn, weight: 0 } : turn));
    const { written } = await exported([{ messages }], { engine: "llama-factory" });
    expect(written).toEqual([
      {
        system: "Be brief.",
        conversations: [
          { from: "user", value: "1 + 1?" },
          { from: "assistant", value: "2" },
          { from: "user", value: "and 1 more?" },
          { from: "assistant", value: "3" },
        ],
      },
    ]);
  });

  it("writes an instruction with its output for LitGPT, and refuses what that cannot hold", async () => {
    const { written } = await exported([ONE], { engine: "litgpt" });
    expect(written).toEqual([{ instruction: "1 + 1?", output: "2", sys_prompt: "Be brief." }]);
    await expect(exported([CONVERSATION], { engine: "litgpt" })).rejects.toThrow(
      /rows\.jsonl:1: 3 turns before the reply/,
    );
  });

  it("writes texts as this library trains on them", async () => {
    const model = "mini";
    const row = { messages: CONVERSATION.messages.slice(1, 3) };
    const [trl, factory, litgpt] = await Promise.all(
      (["trl", "llama-factory", "litgpt"] as const).map((engine) =>
        exported([row], { engine, form: "texts", tokenizer: model }),
      ),
    );
    const { prompt, completion } = trl!.written[0] as { prompt: string; completion: string };
    expect(trl!.inexact).toBe(0);
    expect(prompt).toContain("1 + 1?");
    expect(completion.startsWith("2")).toBe(true);
    expect(completion.length).toBeGreaterThan(1);
    expect(factory!.written).toEqual([{ instruction: prompt, output: completion }]);
    // LitGPT adds the end itself.
    expect(litgpt!.written).toEqual([{ instruction: prompt, output: "2" }]);
    expect(await factory!.read("sft.yaml")).toContain('template: "empty"');
    expect(await litgpt!.read("sft.yaml")).toContain('class_path: "litgpt.prompts.Default"');
  });

  it.each([
    [[{ text: "all" }], /rows\.jsonl:1: .*a text without a prompt/],
    [[{ ids: [1, 2] }], /rows\.jsonl:1: .*token ids/],
    [[ONE, { prompt: "a", completion: "b" }], /rows\.jsonl:2: a row of texts after rows of conversations/],
    [[], /no rows/],
  ])("refuses %j", async (rows, message) => {
    await expect(exported(rows, { engine: "trl" })).rejects.toThrow(message);
  });

  it("keeps an earlier export where a row is refused", async () => {
    const place = await folder();
    const [good, bad] = [join(place, "good.jsonl"), join(place, "bad.jsonl")];
    await writeFile(good, JSON.stringify(ONE));
    await writeFile(bad, `${JSON.stringify(ONE)}\n${JSON.stringify({ text: "x" })}\n`);
    const options = { engine: "trl", method: "sft", recipe: RECIPES.plain, out: join(place, "out") } as const;
    await exportTraining({ ...options, data: good });
    const before = await readFile(join(place, "out", "data", "train.jsonl"), "utf8");
    await expect(exportTraining({ ...options, data: bad })).rejects.toThrow(/bad\.jsonl:2/);
    expect(await readFile(join(place, "out", "data", "train.jsonl"), "utf8")).toBe(before);
  });
});

describe("preferences and rewarded problems", () => {
  it("reads both layouts of preferences", async () => {
    const turns = {
      prompt: [{ role: "user", content: "1 + 1?" }],
      chosen: [{ role: "assistant", content: "2" }],
      rejected: [{ role: "assistant", content: "3" }],
    };
    const factory = {
      conversations: [{ from: "human", value: "1 + 1?" }],
      chosen: { from: "gpt", value: "2" },
      rejected: { from: "gpt", value: "3" },
    };
    const plain = { prompt: "1 + 1?", chosen: "2", rejected: "3" };
    const { written } = await exported([turns, factory, plain], { engine: "trl", method: "dpo" });
    expect(written).toEqual([turns, turns, plain]);
    await expect(exported([{ ...plain, rejected: "2" }], { engine: "trl", method: "dpo" })).rejects.toThrow(/equal/);
    await expect(exported([{ prompt: "a", chosen: "b" }], { engine: "trl", method: "dpo" })).rejects.toThrow(
      /rejected: it is missing/,
    );
  });

  it("asks questions, and keeps the answer behind ####", async () => {
    const { written, files } = await exported([{ question: "1 + 1?", answer: "1 + 1 = 2\n#### 2" }], {
      engine: "trl",
      method: "grpo",
    });
    const [{ prompt, answer }] = written as [{ prompt: { content: string }[]; answer: string }];
    expect(answer).toBe("2");
    expect(prompt.at(-1)!.content).toContain("1 + 1?");
    expect(files).toContain("rewards.py");
  });

  it.each(["llama-factory", "litgpt"] as const)("has no grpo for %s", async (engine) => {
    await expect(exported([ONE], { engine, method: "grpo" as Method })).rejects.toThrow(/has no grpo/);
  });
});

describe("configurations", () => {
  const settingOf = (yaml: string, key: string) => new RegExp(`^ *${key}: (.*)$`, "m").exec(yaml)?.[1];

  it("has A*-Thought's settings for LLaMA-Factory", async () => {
    const { read } = await exported([ONE], { engine: "llama-factory", recipe: RECIPES.astar });
    const yaml = await read("sft.yaml");
    const wanted = {
      model_name_or_path: '"Qwen/QwQ-32B"',
      ...{ template: '"qwen"', cutoff_len: "16384", max_samples: "1000000", preprocessing_num_workers: "16" },
      ...{ per_device_train_batch_size: "1", gradient_accumulation_steps: "8", learning_rate: "1.0e-5" },
      ...{ num_train_epochs: "3", lr_scheduler_type: '"cosine"', warmup_ratio: "0.1", bf16: "true", seed: "42" },
      ...{ save_strategy: '"epoch"', logging_steps: "1", finetuning_type: '"full"' },
    };
    for (const [key, value] of Object.entries(wanted)) expect([key, settingOf(yaml, key)]).toEqual([key, value]);
    const { zero_optimization: zero } = JSON.parse(await read("deepspeed.json"));
    expect([zero.stage, zero.offload_param.device, zero.offload_optimizer.device]).toEqual([3, "cpu", "cpu"]);
    const { thoughtbook } = JSON.parse(await read("data/dataset_info.json"));
    expect(thoughtbook).toMatchObject({
      formatting: "sharegpt",
      columns: { messages: "conversations", system: "system" },
    });
  });

  it("has DOTS' settings for LitGPT", async () => {
    const { read } = await exported([ONE], { engine: "litgpt", recipe: RECIPES.dots });
    const yaml = await read("sft.yaml");
    const wanted = {
      ...{ precision: '"bf16-true"', devices: "2", global_batch_size: "64", micro_batch_size: "1", epochs: "4" },
      ...{ lr: "2.0e-5", min_lr: "2.0e-6", lr_warmup_steps: "60", weight_decay: "0.02", betas: "[0.9, 0.95]" },
      ...{ max_seq_length: "4096", val_split_fraction: "0.01", save_interval: "60", prompt_style: '"llama3"' },
    };
    for (const [key, value] of Object.entries(wanted)) expect([key, settingOf(yaml, key)]).toEqual([key, value]);
    const share = await exported([ONE, ONE, ONE, ONE], {
      engine: "litgpt",
      recipe: { ...RECIPES.plain, batchSize: 2, perDevice: 1, epochs: 5, validation: 0.01, warmup: 0.1 },
    });
    // LitGPT takes no share: a tenth of 2 updates times 5 epochs.
    expect(settingOf(await share.read("sft.yaml"), "lr_warmup_steps")).toBe("1");
    expect(RECIPES["dots-released"]).toMatchObject({ epochs: 2, batchSize: 32 });
  });

  it("starts on several nodes with the same rows an update", async () => {
    const recipe = { ...RECIPES.astar, nodes: 2 };
    for (const engine of ["trl", "llama-factory", "litgpt"] as const) {
      const { read } = await exported([ONE], { engine, recipe });
      const script = await read("train.sh");
      expect(script).toContain("MASTER_ADDR:?");
      expect(script).toContain("NODE_RANK:?");
      const yaml = await read("sft.yaml");
      expect(settingOf(yaml, "gradient_accumulation_steps") ?? "4").toBe("4");
    }
    const odd = { ...RECIPES.astar, nodes: 3 };
    await expect(exported([ONE], { engine: "trl", recipe: odd })).rejects.toThrow(
      /64 rows an update cannot be dealt to 3 × 8/,
    );
  });
});
