"""LoRA by PEFT on torch in fp32, on a Hugging Face folder. Argument: {"folder": …, "threads": …}."""

import os
import time

import peft
import torch
import transformers
from protocol import serve


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        model = transformers.AutoModelForCausalLM.from_pretrained(options["folder"], dtype=torch.float32)
        model.config.use_cache = False
        self.base, self.model = model, None

    def do_prepare(self):
        versions = {"peft": peft.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
        return {"versions": versions, "pid": os.getpid()}

    def do_train(self, rows, rank, batchSize, learningRate):
        """One pass over the rows, in batches padded to their longest row; padding is not counted."""
        if self.model is None:
            config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", lora_dropout=0.0)
            self.model = peft.get_peft_model(self.base, config).train()
            trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
            self.optimizer = torch.optim.AdamW(trained, lr=learningRate, weight_decay=0.01)
        losses, tokens = [], 0
        start = time.perf_counter()
        for first in range(0, len(rows), batchSize):
            batch = rows[first : first + batchSize]
            longest = max(map(len, batch))
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
            loss = self.model(ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            losses.append(loss.item())
            tokens += sum(map(len, batch))
        return {"seconds": time.perf_counter() - start, "tokens": tokens, "losses": losses}


if __name__ == "__main__":
    serve(Peer)
