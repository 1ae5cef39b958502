"""Write a GGUF file's weights as float32: `hf FILE OUT` a Hugging Face folder, `gguf FILE OUT` a GGUF file."""

import os
import sys


def to_hugging_face(file, out):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = os.path.split(os.path.abspath(file))
    source = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    config = source.config
    for key in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(config, key):
            delattr(config, key)
    # A model of its own: the one that was read refuses to be saved as anything but quantised.
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    lost = model.load_state_dict(source.state_dict(), strict=False)
    if lost.missing_keys or lost.unexpected_keys:
        raise ValueError(f"{file}: {lost}")
    model.save_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    own = pre_tokenizer(file)
    if own is not None:
        tokenizer.backend_tokenizer.pre_tokenizer = own
    tokenizer.save_pretrained(out)


def pre_tokenizer(file):
    """How the model's own tokenizer.json cuts a text, where transformers does not read it from the file's name for it."""
    import gguf
    from tokenizers import pre_tokenizers

    field = gguf.GGUFReader(file).fields.get("tokenizer.ggml.pre")
    if field is None or field.contents() != "smollm":
        return None
    # HuggingFaceTB/SmolLM2-135M-Instruct.
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def to_gguf(file, out):
    import gguf
    import numpy

    reader = gguf.GGUFReader(file)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        # The first two are written by the writer, those of the header are no fields.
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = field.types[0]
        value = gguf.LlamaFileType.ALL_F32 if key == "general.file_type" else field.contents()
        writer.add_key_value(key, value, kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        weights = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32, copy=False)
        writer.add_tensor(tensor.name, weights.reshape(tuple(reversed([int(n) for n in tensor.shape]))))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


{"hf": to_hugging_face, "gguf": to_gguf}[sys.argv[1]](*sys.argv[2:4])
