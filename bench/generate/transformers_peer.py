"""Python's transformers as a peer of the benchmark: the protocol of bench/shared/serve.ts.

Started with one argument, JSON: {"folder": of the model, "threads": number}.
"""

import json
import resource
import sys
import time

import torch
import transformers


class Generator:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        self.model = transformers.AutoModelForCausalLM.from_pretrained(f"{options['folder']}/checkpoint", dtype=torch.float32)
        self.model.eval()
        # Its defaults for a Llama name ids which end a text.
        self.model.generation_config.eos_token_id = None

    @torch.inference_mode()
    def generate(self, prompts, new_tokens):
        ids = torch.tensor(prompts)
        result = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens, do_sample=False, pad_token_id=0
        )
        return result[:, ids.shape[1] :].tolist()


def answer(request, options, state):
    if request["do"] == "prepare":
        state["generator"] = Generator(options)
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return {"versions": versions, "threads": torch.get_num_threads()}
    if request["do"] == "generate":
        seconds, ids = [], []
        before = time.process_time()
        for _ in range(request["repeats"]):
            start = time.perf_counter()
            ids = state["generator"].generate(request["prompts"], request["newTokens"])
            seconds.append(time.perf_counter() - start)
        return {
            "seconds": seconds,
            "ids": ids,
            "processorSeconds": time.process_time() - before,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    raise ValueError(f"unknown request {request['do']}")


def main():
    options = json.loads(sys.argv[1])
    replies, sys.stdout = sys.stdout, sys.stderr
    state = {}
    for line in sys.stdin:
        try:
            reply = {"ok": answer(json.loads(line), options, state)}
        except Exception as error:  # every failure is an answer: the benchmark reports it and goes on
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


main()
