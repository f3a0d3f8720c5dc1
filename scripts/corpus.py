#!/usr/bin/env python3
"""Authored batches to the rows of a data directory: corpus.py [--without SPLIT.jsonl]... BATCH.txt... > train.jsonl

A batch is what one author wrote in one voice, one message a line:

    intent | sentiment | emotions | escalate | text with [surface](label) around each entity

or, a turn a line, conversations:

    = escalate_at | channel
    C | intent | sentiment | emotions | escalate | needs context | text of the customer, marked as above
    B | text of the bot      A | text of a human agent

escalate_at is the index of the turn after which a person should take over, or none. Each turn of the customer becomes a row with the turns before
it as `context`. sentiment is -, 0 or +; emotions are comma-separated or -; escalate and needs context are y or n; empty lines and lines that begin with ## are skipped. A text that stands in an
earlier batch or in a split named by --without is left out, whatever its case and punctuation: a score on it would mean nothing.
The batch's file name becomes the row's `batch`, so that whole batches can be kept apart. `hearken data check` checks the result."""

import argparse
import json
import re
import sys
from pathlib import Path

SENTIMENT = {"-": "negative", "0": "neutral", "+": "positive"}
MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")


YES_NO = {"y": True, "n": False}
ROLES = {"C": "customer", "B": "bot", "A": "agent"}
CONTEXT = 8


def row(fields, batch):
    intent, sentiment, emotions, escalate, marked = (part.strip() for part in fields)
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
        "escalate": YES_NO[escalate],
        "batch": batch,
    }


class Conversations:
    """The conversations of a batch, turn after turn."""

    def __init__(self, batch):
        self.batch, self.count = batch, 0

    def begin(self, line):
        at, channel = (part.strip() for part in line[1:].split("|"))
        self.count += 1
        self.turns = []
        self.about = {"conversation": f"{self.batch}-{self.count}", "channel": channel, "escalate_at": None if at == "none" else int(at)}

    def turn(self, line):
        """The row of a customer's turn."""
        speaker, rest = (part.strip() for part in line.split("|", 1))
        made = None
        if speaker == "C":
            *labels, needs, marked = (part.strip() for part in rest.split("|", 5))
            made = row([*labels, marked], self.batch)
            made |= {"context": self.turns[-CONTEXT:], **self.about, "turn": len(self.turns), "needs_context": YES_NO[needs]}
        self.turns.append({"role": ROLES[speaker], "text": made["text"] if made else rest})
        return made


def folded(row):
    """What is left of a message and the turns before it without case and punctuation."""
    texts = [turn["text"].lower() for turn in row.get("context", [])] + [row["text"].lower()]
    return "\n".join(" ".join(re.findall(r"[^\W_]+", text)) or text for text in texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", action="append", default=[], metavar="SPLIT.jsonl")
    parser.add_argument("batches", nargs="+", metavar="BATCH.txt")
    arguments = parser.parse_args()
    seen = set()
    for name in arguments.without:
        with open(name, encoding="utf-8") as lines:
            seen.update(folded(json.loads(line)) for line in lines)
    for name in arguments.batches:
        conversations = Conversations(Path(name).stem)
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip() or line.startswith("##"):
                    continue
                try:
                    if line.startswith("="):
                        conversations.begin(line)
                        continue
                    turn = line.split("|", 1)[0].strip() in ROLES
                    made = conversations.turn(line) if turn else row(line.rstrip("\n").split(" | ", 4), Path(name).stem)
                except (AttributeError, KeyError, ValueError) as error:
                    sys.exit(f"{name}:{number}: {error!r}: {line.strip()}")
                if made and folded(made) not in seen:
                    seen.add(folded(made))
                    print(json.dumps(made, ensure_ascii=False))


if __name__ == "__main__":
    main()
