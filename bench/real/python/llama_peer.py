"""llama-cpp-python on a GGUF file. Argument: {"file": …, "threads": …, "context": …, "cache": "f16" or "f32"}."""

import os
import time

import llama_cpp
import numpy
from protocol import serve

# GGML_TYPE_F32 and GGML_TYPE_F16.
TYPES = {"f32": 0, "f16": 1}


class Peer:
    def __init__(self, options):
        cache = TYPES[options["cache"]]
        self.model = llama_cpp.Llama(
            options["file"],
            n_ctx=options["context"],
            n_batch=512,
            n_threads=options["threads"],
            n_threads_batch=options["threads"],
            logits_all=True,
            type_k=cache,
            type_v=cache,
            flash_attn=False,
            verbose=False,
        )

    def do_prepare(self):
        return {"versions": {"llama-cpp-python": llama_cpp.__version__}, "pid": os.getpid()}

    def do_score(self, texts, batchSize=1):
        start = time.perf_counter()
        scores = []
        for ids in texts:
            self.model.reset()
            self.model.eval(ids)
            logits = self.model.scores[: len(ids) - 1]
            largest = logits.max(axis=1)
            total = numpy.log(numpy.exp(logits - largest[:, None]).sum(axis=1, dtype=numpy.float64)) + largest
            scores.append((logits[numpy.arange(len(ids) - 1), ids[1:]] - total).tolist())
        return {"seconds": time.perf_counter() - start, "logProbs": scores}


if __name__ == "__main__":
    serve(Peer)
