import { tuneOperations } from "thoughtbook/eval";

const [, , out, ops, problems, maxNew, seconds, tasks = "gsm8k"] = process.argv;
const url = "http://127.0.0.1:8090/completion";
const write = (prompt) => {
  const has = prompt.messages[0].role === "system";
  const ms = has
    ? prompt.messages
    : [
        { role: "system", content: "You are Qwen, created by Alibaba Cloud. You are a helpful assistant." },
        ...prompt.messages,
      ];
  return (
    ms.map((m) => `<|im_start|>${m.role}\n${m.content}<|im_end|>\n`).join("") +
    "<|im_start|>assistant\n" +
    (prompt.answer ?? "")
  );
};
const model = {
  name: "qwen2.5-coder-0.5b",
  capabilities: new Set(["text", "chat"]),
  contextLength: undefined,
  parameterCount: undefined,
  hash: async () => undefined,
  async generate(requests, options = {}) {
    const results = requests.map(() => []);
    let next = 0;
    const work = async () => {
      while (next < requests.length) {
        const i = next++;
        const r = requests[i];
        options.signal?.throwIfAborted();
        const res = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          signal: options.signal,
          body: JSON.stringify({
            prompt: write(r.prompt),
            n_predict: options.maxNewTokens,
            temperature: 0,
            stop: options.stopStrings ?? [],
            cache_prompt: true,
          }),
        });
        const j = await res.json();
        const c = {
          text: j.content,
          finishReason: j.stop_type === "limit" ? "length" : "stop",
          promptTokens: j.tokens_evaluated,
          completionTokens: j.tokens_predicted,
        };
        results[i][0] = c;
        options.onFinish?.(c, { request: i, sample: 0 });
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return results;
  },
  score: async () => {
    throw new Error();
  },
  countTokens: async () => 0,
  dispose: async () => {},
};
const stop = new AbortController();
setTimeout(() => stop.abort(), Number(seconds) * 1000).unref();
try {
  const { tried } = await tuneOperations(model, {
    operations: ops.split(","),
    tasks: tasks.split(","),
    problems: Number(problems),
    seed: 1,
    maxNewTokens: Number(maxNew),
    folder: out,
    signal: stop.signal,
    display: { show() {}, finish() {}, log() {} },
  });
  for (const t of tried)
    console.log(
      t.operation.padEnd(10),
      t.arm.padEnd(20),
      `${t.successes}/${t.problems}`,
      "parsed",
      t.parsed,
      "fin",
      t.finished,
      "tok",
      t.tokens,
      "prompt",
      t.promptTokens,
      t.chosen ? "<==" : "",
    );
} catch (e) {
  console.log("stopped", e.message);
}
