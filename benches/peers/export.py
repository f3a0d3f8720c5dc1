"""Exports one set of weights to each peer's own format, under a folder that git ignores.

Reads `models/storefront-en` (f16, Hugging Face BERT names; `heads.*` are left out) and writes, in f32 unless it says otherwise:

* `huggingface/`            what transformers and CTranslate2's converter read
* `encoder.onnx`            token ids in, mean-pooled vector out
* `onnxruntime-fp32-fused.onnx`, `onnxruntime-fp32-plain.onnx`   fused by onnxruntime's own transformer optimiser, and as it was
* `onnxruntime-int8-fused.onnx`, `onnxruntime-int8-plain.onnx`   both dynamically quantised: signed weights, a scale a channel, full range
* `openvino-fp32.xml`       also what OpenVINO runs in bf16
* `openvino-int8.xml`       NNCF static post-training quantisation, calibrated on training messages
* `ctranslate2-float32/`, `ctranslate2-int8/`
* `reference.npy`           the vectors of PyTorch in f32, each message alone, that `quality.py` compares with

`export.py FOLDER` makes what is missing; delete the folder to make all again.
"""

import json
import random
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import workload

MODEL = workload.REPOSITORY / "models" / "storefront-en"
CALIBRATION_MESSAGES = 300
CALIBRATION_SEED = 3


def huggingface(folder):
    """A model directory as transformers wants it."""
    from safetensors.numpy import load_file, save_file

    target = folder / "huggingface"
    target.mkdir(parents=True)
    stored = load_file(str(MODEL / "model.safetensors"))
    weights = {name: value.astype(numpy.float32) for name, value in stored.items() if not name.startswith("heads.")}
    save_file(weights, str(target / "model.safetensors"), metadata={"format": "pt"})
    shutil.copy(MODEL / "config.json", target)
    shutil.copy(MODEL / "tokenizer.json", target)
    vocabulary = json.loads((MODEL / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.get)
    (target / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": workload.LONGEST}
    (target / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def pytorch_encoder(folder, attention):
    """The encoder with mean pooling as a PyTorch module. `attention` is transformers' name of an implementation."""
    import torch
    from transformers import BertModel

    class MeanPooled(torch.nn.Module):
        def __init__(self, encoder):
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids, attention_mask=None):
            """[rows, tokens] ids and mask (None: no padding) to [rows, hidden]."""
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            if attention_mask is None:
                return hidden.mean(1)
            kept = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return (hidden * kept).sum(1) / kept.sum(1)

    source = str(folder / "huggingface")
    encoder = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation=attention)
    return MeanPooled(encoder).eval()


def onnx(folder):
    """The plain ONNX graph. Attention is written out, the form that the optimisers of the peers recognise."""
    import torch

    ids = torch.randint(1000, 2000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    free = {0: "rows", 1: "tokens"}
    torch.onnx.export(
        pytorch_encoder(folder, "eager"), (ids, mask), str(folder / "encoder.onnx"), dynamo=False, opset_version=18,
        input_names=["input_ids", "attention_mask"], output_names=["vector"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "vector": {0: "rows"}},
    )


def onnxruntime_fp32(folder):
    """onnxruntime's fused graph; stops where a fusion did not happen, which would slow that peer down."""
    from onnxruntime.transformers.optimizer import optimize_model

    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    optimised = optimize_model(
        str(folder / "encoder.onnx"), model_type="bert",
        num_heads=config["num_attention_heads"], hidden_size=config["hidden_size"],
    )
    fused = optimised.get_fused_operator_statistics()
    layers = config["num_hidden_layers"]
    wanted = {"EmbedLayerNormalization": 1, "Attention": layers, "BiasGelu": layers, "SkipLayerNormalization": 2 * layers}
    missed = {name: fused[name] for name, count in wanted.items() if fused[name] != count}
    if missed:
        sys.exit(f"onnxruntime's optimiser did not fuse the whole graph: {missed}, wanted {wanted}")
    optimised.save_model_to_file(str(folder / "onnxruntime-fp32-fused.onnx"))


def onnxruntime_int8(folder, graph):
    """Dynamic quantisation of the fused graph or of the plain one, which leaves the fusing to the session."""
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(folder / f"onnxruntime-fp32-{graph}.onnx"), str(folder / f"onnxruntime-int8-{graph}.onnx"),
        op_types_to_quantize=["MatMul", "Attention"], weight_type=QuantType.QInt8, per_channel=True, reduce_range=False,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )


def openvino_fp32(folder):
    """OpenVINO's form of the plain graph."""
    import openvino

    openvino.save_model(openvino.convert_model(str(folder / "encoder.onnx")), str(folder / "openvino-fp32.xml"), compress_to_fp16=False)


def openvino_int8(folder):
    """NNCF's static quantisation with its preset for transformers, calibrated on messages of the training split."""
    import nncf
    import openvino

    texts = random.Random(CALIBRATION_SEED).sample(workload.split_texts("train"), CALIBRATION_MESSAGES)
    rows = [numpy.array([ids], dtype=numpy.int64) for ids in workload.token_ids(texts)]
    messages = nncf.Dataset(rows, lambda ids: {"input_ids": ids, "attention_mask": numpy.ones_like(ids)})
    model = openvino.Core().read_model(str(folder / "openvino-fp32.xml"))
    quantised = nncf.quantize(model, messages, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_MESSAGES)
    openvino.save_model(quantised, str(folder / "openvino-int8.xml"), compress_to_fp16=False)


def ctranslate2_model(folder, quantization):
    """CTranslate2's own converter."""
    from ctranslate2.converters import TransformersConverter

    target = folder / f"ctranslate2-{quantization}"
    TransformersConverter(str(folder / "huggingface")).convert(str(target), quantization=quantization, force=True)


def reference(folder):
    """The vectors of the quality messages, [messages, hidden], each message alone, in f32."""
    import quality
    import torch

    encoder = pytorch_encoder(folder, "eager")
    with torch.inference_mode():
        vectors = [encoder(torch.tensor([ids])).numpy()[0] for ids in quality.message_ids()]
    numpy.save(folder / "reference.npy", numpy.stack(vectors))


STEPS = [
    ("huggingface/vocab.txt", huggingface),
    ("encoder.onnx", onnx),
    ("onnxruntime-fp32-plain.onnx", lambda folder: shutil.copy(folder / "encoder.onnx", folder / "onnxruntime-fp32-plain.onnx")),
    ("onnxruntime-fp32-fused.onnx", onnxruntime_fp32),
    ("onnxruntime-int8-plain.onnx", lambda folder: onnxruntime_int8(folder, "plain")),
    ("onnxruntime-int8-fused.onnx", lambda folder: onnxruntime_int8(folder, "fused")),
    ("openvino-fp32.xml", openvino_fp32),
    ("openvino-int8.xml", openvino_int8),
    ("ctranslate2-float32/model.bin", lambda folder: ctranslate2_model(folder, "float32")),
    ("ctranslate2-int8/model.bin", lambda folder: ctranslate2_model(folder, "int8")),
    ("reference.npy", reference),
]


def main(folder):
    """Runs the steps whose file is missing; says which failed and goes on, so that one peer's trouble does not stop the others."""
    warnings.filterwarnings("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for made, step in STEPS:
        if (folder / made).exists():
            continue
        print(f"export: {made}", flush=True)
        try:
            step(folder)
        except Exception as error:  # every peer has its own kinds of errors
            failed += 1
            print(f"export: {made} failed: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: export.py FOLDER")
    sys.exit(min(1, main(Path(sys.argv[1]))))
