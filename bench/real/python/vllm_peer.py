"""vLLM for CPUs in bf16 on a Hugging Face folder. Argument: {"folder": …, "threads": …, "context": …, "rows": …}."""

import os
import time

# One process: its threads, memory and end are those of the peer.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")

import torch
import vllm
from protocol import serve


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        self.llm = vllm.LLM(
            options["folder"],
            dtype="bfloat16",
            max_model_len=options["context"],
            max_num_seqs=options["rows"],
            disable_log_stats=True,
        )

    def do_prepare(self):
        return {"versions": {"vllm": vllm.__version__, "torch": torch.__version__}, "pid": os.getpid()}

    def do_generate(self, prompts, newTokens):
        asked = vllm.SamplingParams(temperature=0, max_tokens=newTokens, ignore_eos=True, detokenize=False)
        start = time.perf_counter()
        results = self.llm.generate([{"prompt_token_ids": prompt} for prompt in prompts], asked, use_tqdm=False)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "ids": [list(result.outputs[0].token_ids) for result in results]}

    def do_read(self, prompts):
        return {"seconds": self.do_generate(prompts, 1)["seconds"]}


if __name__ == "__main__":
    serve(Peer)
