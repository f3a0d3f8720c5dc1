#!/usr/bin/env python3
"""A step of fine-tuning by hearken and by PyTorch, in alternating turns: training.py [--rounds 3] [--output FILE.csv]

Both train every parameter of the same encoder (6 layers, hidden 384) and a head of 77 classes with AdamW, weight decay and a clipped gradient
on random messages of one length, dropout 0.1, on all cores. PyTorch runs in f32 and, as a line of its own, with bf16 autocast; its AdamW is the
default one. Writes one row for each engine and size: medians over the rounds' medians. Needs `cargo build --release` and the
environment that benches/peers/run makes; let nothing else run."""

import argparse
import csv
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SIZES = [(32, 16), (32, 32)]


def torch_step(rows, tokens, steps, autocast):
    """Milliseconds of the median step."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count())
    config = BertConfig(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    encoder, head = BertModel(config, add_pooling_layer=False), torch.nn.Linear(384, 77)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01)
    encoder.train()
    times = []
    for _ in range(steps + 2):
        ids, classes = torch.randint(0, 30522, (rows, tokens)), torch.randint(0, 77, (rows,))
        started = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            pooled = encoder(input_ids=ids).last_hidden_state.mean(1)
            loss = torch.nn.functional.cross_entropy(head(pooled).float(), classes)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[2:]) * 1e3


def ours(binary, rows, tokens, steps):
    command = [binary, "bench", "training", "--rows", str(rows), "--tokens", str(tokens), "--steps", str(steps), "--json"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout)["step_ms"]["p50"]


def peer(rows, tokens, steps, autocast):
    command = [sys.executable, __file__, "--one", f"{rows},{tokens},{steps},{int(autocast)}"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def processor():
    text = Path("/proc/cpuinfo").read_text()
    field = lambda name: re.search(rf"^{name}\s*: (.*)$", text, re.M).group(1)  # noqa: E731
    return f"{field('model name')}, family {field('cpu family')} model {field('model')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--hearken", default=str(REPOSITORY / "target/release/hearken"))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        rows, tokens, steps, autocast = map(int, arguments.one.split(","))
        print(torch_step(rows, tokens, steps, bool(autocast)))
        return
    engines = {
        "hearken": lambda r, t: ours(arguments.hearken, r, t, 2 * arguments.steps),
        "PyTorch f32": lambda r, t: peer(r, t, arguments.steps, False),
        "PyTorch bf16 autocast": lambda r, t: peer(r, t, arguments.steps, True),
    }
    times = {}
    for _ in range(arguments.rounds):
        for rows, tokens in SIZES:
            for name, run in engines.items():
                times.setdefault((name, rows, tokens), []).append(run(rows, tokens))
    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}"
    output = arguments.output or REPOSITORY / "benches/record" / f"training-{re.sub('[^a-z0-9]+', '-', processor().lower()).strip('-')}.csv"
    with output.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["engine", "rows", "tokens", "step_ms", "of_pytorch_f32", "rounds", "machine"])
        for (name, rows, tokens), each in sorted(times.items(), key=lambda item: (item[0][1:], item[0][0])):
            median, reference = statistics.median(each), statistics.median(times["PyTorch f32", rows, tokens])
            writer.writerow([name, rows, tokens, f"{median:.1f}", f"{median / reference:.2f}", len(each), machine])
            print(f"{name:24} {rows} x {tokens}: {median:7.1f} ms, {median / reference:.2f} of PyTorch f32")
    print(f"wrote {output}")


main()
