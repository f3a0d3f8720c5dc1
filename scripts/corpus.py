#!/usr/bin/env python3
"""Authored batches to the rows of a data directory: corpus.py [--without SPLIT.jsonl]... BATCH.txt... > train.jsonl

A batch is what one author wrote in one voice, one message a line:

    intent | sentiment | emotions | escalate | text with [surface](label) around each entity

sentiment is -, 0 or +; emotions are comma-separated or -; escalate is y or n; empty lines and lines that begin with ## are skipped. A text that stands in an
earlier batch or in a split named by --without is left out, whatever its case and punctuation: a score on it would mean nothing.
The batch's file name becomes the row's `batch`, so that whole batches can be kept apart. `hearken data check` checks the result."""

import argparse
import json
import re
import sys
from pathlib import Path

SENTIMENT = {"-": "negative", "0": "neutral", "+": "positive"}
MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")


def row(line, batch):
    intent, sentiment, emotions, escalate, marked = (part.strip() for part in line.split(" | ", 4))
    text, entities, last = "", [], 0
    for mark in MARK.finditer(marked):
        text += marked[last : mark.start()]
        entities.append({"start": len(text), "end": len(text) + len(mark[1]), "label": mark[2]})
        text += mark[1]
        last = mark.end()
    return {
        "text": text + marked[last:],
        "intent": intent,
        "entities": entities,
        "sentiment": SENTIMENT[sentiment],
        "emotions": [] if emotions == "-" else [name.strip() for name in emotions.split(",")],
        "escalate": {"y": True, "n": False}[escalate],
        "batch": batch,
    }


def folded(text):
    words = re.findall(r"[^\W_]+", text.lower())
    return " ".join(words) or text.lower()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", action="append", default=[], metavar="SPLIT.jsonl")
    parser.add_argument("batches", nargs="+", metavar="BATCH.txt")
    arguments = parser.parse_args()
    seen = set()
    for name in arguments.without:
        with open(name, encoding="utf-8") as lines:
            seen.update(folded(json.loads(line)["text"]) for line in lines)
    for name in arguments.batches:
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip() or line.startswith("##"):
                    continue
                try:
                    made = row(line.rstrip("\n"), Path(name).stem)
                except (ValueError, KeyError) as error:
                    sys.exit(f"{name}:{number}: {error!r}: {line.strip()}")
                if folded(made["text"]) not in seen:
                    seen.add(folded(made["text"]))
                    print(json.dumps(made, ensure_ascii=False))


if __name__ == "__main__":
    main()
