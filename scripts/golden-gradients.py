#!/usr/bin/env python3
"""Reference gradients of an encoder by PyTorch and transformers: golden-gradients.py MODEL OUT

The loss is the sum over two batches' token vectors, and over their means, of each value times a fixed wave of its place, so that every
parameter has a gradient. OUT is the JSON that tests/it/gradients.rs compares with: for each parameter the sum of its gradient's
magnitudes and the values at fixed places.

    pip install torch transformers safetensors
    python3 scripts/golden-gradients.py models/tiny tests/corpus/golden/tiny-gradients.json"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel

# Token ids of each message; the test has the same.
MESSAGES = [[2, 5, 6, 7, 3], [2, 9, 3], [2, 10, 11, 5, 12, 13, 14, 3]]
PLACES = 7


def wave(n):
    return torch.sin(torch.arange(n, dtype=torch.float64) * 0.7 + 0.3)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, out = map(Path, sys.argv[1:])
    weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items() if not name.startswith("heads.")}
    encoder = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False).double()
    encoder.load_state_dict(weights, strict=False)
    encoder.eval()
    tokens = [encoder(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in MESSAGES]
    flat, pooled = torch.cat(tokens).flatten(), torch.stack([t.mean(0) for t in tokens]).flatten()
    loss = (flat * wave(len(flat))).sum() + (pooled * wave(len(pooled))).sum()
    loss.backward()
    gradients = {}
    for name, parameter in encoder.named_parameters():
        if parameter.grad is not None:
            gradient = parameter.grad.flatten()
            step = max(1, len(gradient) // PLACES)
            gradients[name] = {"magnitude": gradient.abs().sum().item(), "step": step, "values": gradient[::step].tolist()}
    out.write_text(json.dumps({"messages": MESSAGES, "loss": loss.item(), "gradients": gradients}, indent=1) + "\n")


main()
