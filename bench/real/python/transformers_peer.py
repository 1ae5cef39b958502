"""transformers in fp32 on a Hugging Face folder. Argument: {"folder": …, "threads": …}."""

import os
import time

import torch
import transformers
from protocol import serve


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        self.model = transformers.AutoModelForCausalLM.from_pretrained(options["folder"], dtype=torch.float32).eval()
        # Texts have the asked length, and greedy is greedy: what generation_config.json says does not count.
        self.model.generation_config = transformers.GenerationConfig()

    def do_prepare(self):
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return {"versions": versions, "pid": os.getpid()}

    @torch.inference_mode()
    def do_generate(self, prompts, newTokens):
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        start = time.perf_counter()
        texts = self.model.generate(
            ids, attention_mask=mask, max_new_tokens=newTokens, do_sample=False, pad_token_id=0, eos_token_id=None
        )
        return {"seconds": time.perf_counter() - start, "ids": texts[:, longest:].tolist()}

    @torch.inference_mode()
    def do_read(self, prompts):
        start = time.perf_counter()
        self.model(torch.tensor(prompts), logits_to_keep=1, use_cache=True)
        return {"seconds": time.perf_counter() - start}

    @torch.inference_mode()
    def do_score(self, texts, batchSize):
        start = time.perf_counter()
        scores = []
        for first in range(0, len(texts), batchSize):
            batch = texts[first : first + batchSize]
            longest = max(map(len, batch))
            ids = torch.tensor([text + [0] * (longest - len(text)) for text in batch])
            mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in batch])
            logits = self.model(ids, attention_mask=mask).logits[:, :-1]
            # Not log_softmax, which would hold the whole vocabulary once more.
            chosen = logits.gather(2, ids[:, 1:, None])[:, :, 0] - logits.logsumexp(2)
            scores += [row[: len(text) - 1].tolist() for row, text in zip(chosen, batch)]
        return {"seconds": time.perf_counter() - start, "logProbs": scores}


if __name__ == "__main__":
    serve(Peer)
