import { AutoModelForCausalLM, env, Tensor } from "@huggingface/transformers";
import { modelFolders } from "./model.js";
import { serveGenerator } from "./peer.js";

/** transformers.js on the exported folder, as its documentation uses it. */
await serveGenerator(async ({ folder, threads }) => {
  env.allowRemoteModels = false;
  const model = await AutoModelForCausalLM.from_pretrained(modelFolders(folder).onnx, {
    dtype: "fp32",
    device: "cpu",
    session_options: { intraOpNumThreads: threads },
  });
  const int64 = (values: readonly number[], shape: number[]) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  return {
    versions: { "@huggingface/transformers": env.version },
    threads,
    async generate(prompts, newTokens) {
      const shape = [prompts.length, prompts[0]!.length];
      const ids = prompts.flat();
      const result = (await model.generate({
        inputs: int64(ids, shape),
        attention_mask: int64(ids.fill(1), shape),
        max_new_tokens: newTokens,
        do_sample: false,
        eos_token_id: null,
      } as unknown as Parameters<typeof model.generate>[0])) as Tensor;
      return (result.tolist() as bigint[][]).map((row) => row.slice(shape[1]).map(Number));
    },
  };
});
