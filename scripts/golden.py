#!/usr/bin/env python3
"""Reference logits of a model by PyTorch and transformers: golden.py MODEL MESSAGES OUT

MODEL is a model directory, MESSAGES has one message a line, OUT is the JSON that tests/it/golden.rs compares with. The encoder is
transformers' own BertModel in f32 on the stored weights, the tokenizer is its fast tokenizer; pooling and heads are written out here.

    pip install torch transformers safetensors
    python3 scripts/golden.py models/storefront-en tests/corpus/golden/messages.txt tests/corpus/golden/storefront-en.json"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

HEADS = ("intent", "entities", "sentiment", "emotions")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, messages, out = map(Path, sys.argv[1:])
    weights = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    heads = {name: weights.pop(name) for name in list(weights) if name.startswith("heads.")}
    encoder = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
    missing, unexpected = encoder.load_state_dict(weights, strict=False)
    assert not unexpected and all("position_ids" in name for name in missing), (missing, unexpected)
    encoder.eval()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]"
    )
    rows = []
    for text in messages.read_text(encoding="utf-8").splitlines():
        ids = [tokenizer.cls_token_id, *tokenizer(text, add_special_tokens=False, truncation=False, padding=False)["input_ids"], tokenizer.sep_token_id]
        with torch.no_grad():
            tokens = encoder(input_ids=torch.tensor([ids])).last_hidden_state[0]
        row = {"text": text, "ids": ids}
        for head in HEADS:
            vectors = tokens if head == "entities" else tokens.mean(0, keepdim=True)
            logits = vectors @ heads[f"heads.{head}.weight"].T + heads[f"heads.{head}.bias"]
            row[head] = [[round(value, 5) for value in line] for line in logits.tolist()]
        rows.append(row)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{out}: {len(rows)} messages")


if __name__ == "__main__":
    main()
