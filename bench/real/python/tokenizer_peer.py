"""Tokenizers. Argument: {"kind": "hf", "folder": …} or {"kind": "llama", "file": …}."""

import os

from protocol import serve


class HuggingFace:
    def __init__(self, options):
        import transformers

        self.versions = {"transformers": transformers.__version__}
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(options["folder"])

    def do_encode(self, texts):
        return {"ids": [self.tokenizer.encode(text, add_special_tokens=False) for text in texts]}

    def do_prepare(self):
        return {"versions": self.versions, "pid": os.getpid()}


class Llama(HuggingFace):
    def __init__(self, options):
        import llama_cpp

        self.versions = {"llama-cpp-python": llama_cpp.__version__}
        self.model = llama_cpp.Llama(options["file"], vocab_only=True, verbose=False)

    def do_encode(self, texts):
        # As Hugging Face's tokenizers, it reads the names of special tokens in a text.
        return {"ids": [self.model.tokenize(text.encode(), add_bos=False, special=True) for text in texts]}


if __name__ == "__main__":
    serve(lambda options: {"hf": HuggingFace, "llama": Llama}[options["kind"]](options))
