"""PyTorch as a peer of the benchmark: the protocol of bench/shared/serve.ts, the models of models.ts.

Started with one argument, JSON: {"problem": folder, "threads": number, "backend": "eager" or "compile"}.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

EPSILON = 1e-5
FLOPS_A_CALL = 1e9


def read_problem(folder):
    with open(f"{folder}/problem.json") as file:
        problem = json.load(file)
    files = problem["files"]

    def numbers(file, dtype):
        with open(f"{folder}/{file}", "rb") as raw:
            return torch.frombuffer(bytearray(raw.read()), dtype=dtype)

    flat = numbers(files["weights"], torch.float32)
    weights, offset = {}, 0
    for parameter in problem["parameters"]:
        size = 1
        for dimension in parameter["shape"]:
            size *= dimension
        values = flat[offset : offset + size].clone().view(parameter["shape"])
        weights[parameter["name"]] = torch.nn.Parameter(values)
        offset += size
    config = problem["config"]
    ids = numbers(files["ids"], torch.int32).long().view(config["batch"], config["time"])
    return problem, weights, ids, numbers(files["targets"], torch.int32).long()


def rms_norm(x, gain):
    return F.rms_norm(x, (x.shape[-1],), gain, EPSILON)


def gpt_loss(c, p, ids, targets):
    batch, steps, heads = c["batch"], c["time"], c["heads"]
    x = p["embedding"][ids] + p["positions"]
    for layer in range(c["layers"]):
        normed = rms_norm(x, p[f"norm1_{layer}"])
        q, k, v = ((normed @ p[f"{n}{layer}"]).view(batch, steps, heads, -1).transpose(1, 2) for n in "qkv")
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + attended.transpose(1, 2).reshape(batch, steps, -1) @ p[f"o{layer}"]
        up = rms_norm(x, p[f"norm2_{layer}"]) @ p[f"up{layer}"]
        x = x + F.relu(up).square() @ p[f"down{layer}"]
    return F.cross_entropy((x @ p["embedding"].T).view(-1, c["vocabulary"]), targets)


def llama_loss(c, p, ids, targets, cos, sin):
    batch, steps = c["batch"], c["time"]

    def heads_of(x, count):
        return x.view(batch, steps, count, -1).transpose(1, 2)

    def rotary(x):
        first, second = x.chunk(2, -1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

    x = p["embedding"][ids]
    for layer in range(c["layers"]):
        normed = rms_norm(x, p[f"norm1_{layer}"])
        q = rotary(heads_of(normed @ p[f"q{layer}"], c["heads"]))
        k = rotary(heads_of(normed @ p[f"k{layer}"], c["keyHeads"]))
        v = heads_of(normed @ p[f"v{layer}"], c["keyHeads"])
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + attended.transpose(1, 2).reshape(batch, steps, -1) @ p[f"o{layer}"]
        inner = rms_norm(x, p[f"norm2_{layer}"])
        x = x + (F.silu(inner @ p[f"gate{layer}"]) * (inner @ p[f"up{layer}"])) @ p[f"down{layer}"]
    logits = rms_norm(x, p["norm"]) @ p["embedding"].T
    return F.cross_entropy(logits.view(-1, c["vocabulary"]), targets)


def loss_function(config):
    if config["family"] == "gpt":
        return lambda p, ids, targets: gpt_loss(config, p, ids, targets)
    half = config["width"] // config["heads"] // 2
    frequencies = config["rotaryBase"] ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(config["time"], dtype=torch.float64), frequencies)
    cos, sin = angles.cos().float(), angles.sin().float()
    return lambda p, ids, targets: llama_loss(config, p, ids, targets, cos, sin)


class Trainer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        problem, self.weights, self.ids, self.targets = read_problem(options["problem"])
        self.loss = loss_function(problem["config"])
        if options["backend"] == "compile":
            self.loss = torch.compile(self.loss)
        settings = problem["optimizer"]
        groups = [
            {
                "params": [self.weights[p["name"]] for p in problem["parameters"] if p["decay"] == decays],
                "weight_decay": settings["weightDecay"] if decays else 0,
            }
            for decays in (True, False)
        ]
        self.optimizer = torch.optim.AdamW(
            groups,
            lr=settings["learningRate"],
            betas=(settings["beta1"], settings["beta2"]),
            eps=settings["epsilon"],
            # All of the update in one kernel, the fastest that PyTorch has on a CPU.
            fused=True,
        )

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss(self.weights, self.ids, self.targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def measure_product(product, milliseconds):
    lead = [] if product["batch"] == 1 else [product["batch"]]
    m, k, n = product["m"], product["k"], product["n"]
    repeats = min(16, max(1, -int(-FLOPS_A_CALL // (2 * product["batch"] * m * k * n))))
    left, right = ("transposeA", "transposeB")
    a = torch.rand(*lead, k, m).mT if product[left] else torch.rand(*lead, m, k)
    bs = [torch.rand(*lead, n, k).mT if product[right] else torch.rand(*lead, k, n) for _ in range(repeats)]
    ys = [torch.empty(*lead, m, n) for _ in range(repeats)]
    times = []
    end = time.perf_counter() + milliseconds / 1000
    call = 0
    with torch.no_grad():
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            for b, y in zip(bs, ys):
                torch.matmul(a, b, out=y)
            if call > 1:
                times.append(time.perf_counter() - start)
            call += 1
    return sorted(times)[len(times) // 2] / repeats


def main():
    options = json.loads(sys.argv[1])
    replies, sys.stdout = sys.stdout, sys.stderr
    trainer = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                trainer = Trainer(options)
                start = time.perf_counter()
                loss = trainer.step()
                reply = {
                    "versions": {"torch": torch.__version__, "python": sys.version.split()[0]},
                    "threads": torch.get_num_threads(),
                    "compileMs": None,
                    "firstStepMs": (time.perf_counter() - start) * 1000,
                    "loss": loss,
                }
            elif request["do"] == "steps":
                times, losses = [], []
                before = time.process_time()
                for _ in range(request["count"]):
                    start = time.perf_counter()
                    losses.append(trainer.step())
                    times.append((time.perf_counter() - start) * 1000)
                resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                reply = {
                    "stepMs": times,
                    "losses": losses,
                    "processorSeconds": time.process_time() - before,
                    "residentMegabytes": resident,
                }
            elif request["do"] == "product":
                reply = {"seconds": measure_product(request["product"], request["milliseconds"])}
            else:
                raise ValueError(f"unknown request {request['do']}")
            answer = {"ok": reply}
        except Exception as error:  # every failure is an answer: the benchmark reports it and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(answer) + "\n")
        replies.flush()


main()
