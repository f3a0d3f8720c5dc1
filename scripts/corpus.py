#!/usr/bin/env python3
"""Authored batches to the rows of a data directory: corpus.py BATCH.txt... > train.jsonl

A batch is what one author wrote in one voice, one message a line:

    intent | sentiment | emotions | escalate | text with [surface](label) around each entity

sentiment is -, 0 or +; emotions are comma-separated or -; escalate is y or n; empty lines and lines that begin with ## are skipped.
The batch's file name becomes the row's `batch`, so that whole batches can be kept apart. `hearken data check` checks the result."""

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


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip() or line.startswith("##"):
                    continue
                try:
                    print(json.dumps(row(line.rstrip("\n"), Path(name).stem), ensure_ascii=False))
                except (ValueError, KeyError) as error:
                    sys.exit(f"{name}:{number}: {error!r}: {line.strip()}")


if __name__ == "__main__":
    main()
