"""PEFT as a peer of the benchmark: the protocol of bench/shared/serve.ts.

Started with one argument, JSON: {"model": folder, "trainable": {"lora": rank} or {"prompt": tokens}, "threads": number,
"learningRate": number}. A step gets rows of token ids with labels, pads them on the right to the longest, and makes one
update with AdamW, as a user of transformers and PEFT would.
"""

import json
import resource
import sys
import time

import peft
import torch
import transformers

# PEFT counts alpha, not its quotient by the rank; this library's default is alpha = 2 * rank as well.
ALPHA_PER_RANK = 2
CLIP_NORM = 1.0
IGNORED = -100


class Trainer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        torch.manual_seed(1)
        base = transformers.AutoModelForCausalLM.from_pretrained(options["model"], dtype=torch.float32)
        base.config.use_cache = False
        self.model = peft.get_peft_model(base, self.method(options["trainable"]))
        self.model.train()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.trained = trained
        self.optimizer = torch.optim.AdamW(trained, lr=options["learningRate"], weight_decay=0.01, fused=True)

    @staticmethod
    def method(trainable):
        if "lora" in trainable:
            rank = trainable["lora"]
            return peft.LoraConfig(
                r=rank,
                lora_alpha=ALPHA_PER_RANK * rank,
                target_modules="all-linear",
                lora_dropout=0.0,
                task_type="CAUSAL_LM",
            )
        return peft.PromptTuningConfig(num_virtual_tokens=trainable["prompt"], task_type="CAUSAL_LM")

    def step(self, rows):
        longest = max(len(row["ids"]) for row in rows)

        def padded(values, filler):
            return torch.tensor([list(v) + [filler] * (longest - len(v)) for v in values])

        ids = padded([row["ids"] for row in rows], 0)
        labels = padded([row["labels"] for row in rows], IGNORED)
        mask = padded([[1] * len(row["ids"]) for row in rows], 0)
        self.optimizer.zero_grad()
        loss = self.model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, CLIP_NORM)
        self.optimizer.step()
        return loss.item()


def resident_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    options = json.loads(sys.argv[1])
    replies, sys.stdout = sys.stdout, sys.stderr
    trainer = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                trainer = Trainer(options)
                versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
                trained = sum(parameter.numel() for parameter in trainer.trained)
                reply = {"versions": versions, "trained": trained}
            else:
                start = time.perf_counter()
                loss = trainer.step(request["rows"])
                reply = {"seconds": time.perf_counter() - start, "loss": loss, "peakMegabytes": resident_megabytes()}
            message = {"ok": reply}
        except Exception as error:
            message = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(message), file=replies, flush=True)


main()
