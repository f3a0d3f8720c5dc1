#!/usr/bin/env python3
"""Makes models/tiny, a two-layer model for tests: tiny-model.py models/tiny

Random but fixed: the same script gives the same bytes. It knows nothing; it is there to be quick. Standard library only."""

import hashlib
import json
import math
import random
import string
import struct
import sys
from pathlib import Path

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 64, 64
INTENTS = ["human_agent", "product_availability", "refund_request", "thanks", "track_order"]
ENTITIES = ["color", "email", "money", "order_number", "product", "size"]
EMOTIONS = ["anger", "gratitude"]
WORDS = """i my me you your the a an is it in to for of on and or not no yes do does have has had was where what when how why can could would
please thanks thank hello hi order refund money back return parcel package arrived broken late size color colour blue red shirt shoes stock
medium small large want need still yet never again third time speak human agent person lawyer great love hate terrible angry ! ? . , : ; # $ @
- ' " / ( ) %""".split()


def vocabulary():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = list(string.ascii_lowercase + string.digits)
    tokens = special + characters + ["##" + c for c in characters] + [word for word in WORDS if len(word) > 1 or word not in characters]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def tokenizer(vocab):
    special = [
        {"id": vocab[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    ]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
    }


def tensors(vocab):
    shapes = {
        "embeddings.word_embeddings.weight": (len(vocab), HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,), "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        linear = [("attention.self.query", HIDDEN, HIDDEN), ("attention.self.key", HIDDEN, HIDDEN), ("attention.self.value", HIDDEN, HIDDEN),
                  ("attention.output.dense", HIDDEN, HIDDEN), ("intermediate.dense", INNER, HIDDEN), ("output.dense", HIDDEN, INNER)]
        for part, rows, columns in linear:
            shapes[f"{name}{part}.weight"], shapes[f"{name}{part}.bias"] = (rows, columns), (rows,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{name}{part}.weight"], shapes[f"{name}{part}.bias"] = (HIDDEN,), (HIDDEN,)
    for head, rows in (("intent", len(INTENTS) + 1), ("entities", 1 + 2 * len(ENTITIES)), ("sentiment", 3), ("emotions", len(EMOTIONS))):
        shapes[f"heads.{head}.weight"], shapes[f"heads.{head}.bias"] = (rows, HIDDEN), (rows,)
    return shapes


def values(name, shape, pick):
    count = math.prod(shape)
    if "LayerNorm.weight" in name:
        return [1 + pick.uniform(-0.1, 0.1) for _ in range(count)]
    deviation = 0.3 if name.endswith("weight") else 0.05
    return [pick.gauss(0, deviation) for _ in range(count)]


def safetensors(shapes):
    pick, header, body = random.Random(5), {}, b""
    for name, shape in sorted(shapes.items()):
        data = struct.pack(f"<{math.prod(shape)}e", *values(name, shape, pick))
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def manifest(files):
    calibration = "[{0}.calibration]\ntemperature = 1.0\n"
    return "\n".join([
        'format = 1\nname = "tiny"\nversion = "1.0.0"\nlanguage = "en"\nmax_tokens = 64\ncontext_tokens = 24\npooling = "mean"\n',
        "[files]", *(f'"{name}" = "{hashlib.sha256(data).hexdigest()}"' for name, data in sorted(files.items())), "",
        f"[heads.intent]\nlabels = {json.dumps(INTENTS)}\nrejection = true\nrejection_threshold = 0.9\nmin_score = 0.0\nambiguity_margin = 0.01\n",
        calibration.format("heads.intent"),
        f"[heads.entities]\nlabels = {json.dumps(ENTITIES)}\n", calibration.format("heads.entities"),
        calibration.format("heads.sentiment"),
        f"[heads.emotions]\nlabels = {json.dumps(EMOTIONS)}\nthresholds = [0.5, 0.5]\n", calibration.format("heads.emotions"),
    ])


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    vocab = vocabulary()
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "vocab_size": len(vocab), "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": INNER, "hidden_act": "gelu", "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "position_embedding_type": "absolute",
    }
    files = {
        "config.json": json.dumps(config, indent=1).encode(),
        "tokenizer.json": json.dumps(tokenizer(vocab)).encode(),
        "model.safetensors": safetensors(tensors(vocab)),
    }
    for name, data in files.items():
        (out / name).write_bytes(data)
    (out / "hearken.toml").write_text(manifest(files))
    (out / "CARD.md").write_text("# tiny\n\nA two-layer model with random weights, for tests. Made by scripts/tiny-model.py.\n")


if __name__ == "__main__":
    main()
