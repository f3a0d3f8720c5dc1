"""The messages that every engine reads: `workload.txt`, a realistic mix of 1,000, and `singles.txt`, single messages of known length.

Made once from `training-data/storefront-en` (this repository's own text) and committed; run this file to make them again, byte for
byte. The lengths follow a log-normal law, as chat messages do: median 14 tokens, mean 18, 95th percentile 44, at most 128, [CLS] and
[SEP] counted. A message of the wanted length is drawn where the training data has one; longer ones are several messages joined.
"""

import json
import math
import random
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SOURCE = REPOSITORY / "training-data" / "storefront-en"
TOKENIZER = REPOSITORY / "models" / "storefront-en" / "tokenizer.json"
MIX_FILE = HERE / "workload.txt"
SINGLES_FILE = HERE / "singles.txt"

MESSAGES = 1000
MEDIAN = 14
SIGMA = 0.70
SHORTEST = 3
LONGEST = 128
SPECIAL_TOKENS = 2
LONGEST_DRAWN_WHOLE = 40
SINGLE_LENGTHS = (8, 16, 32, 64, 128)
SINGLES_PER_LENGTH = 4
SEED = 14


def tokenizer():
    """The model's own tokenizer, with its stored padding and truncation to 128 taken off."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(TOKENIZER))
    loaded.no_padding()
    loaded.enable_truncation(LONGEST)
    return loaded


def token_ids(texts):
    """The token ids of each text, [CLS] and [SEP] included."""
    return [encoding.ids for encoding in tokenizer().encode_batch(list(texts))]


def read_lines(path):
    """The messages of a workload file, one a line."""
    if not path.exists():
        sys.exit(f"`{path.name}` is missing: run `workload.py` to make it")
    return path.read_text(encoding="utf-8").splitlines()


def mix_ids():
    """Token ids of the 1,000 messages, in the order of the file."""
    return token_ids(read_lines(MIX_FILE))


def single_ids():
    """Length to the token ids of that length's single messages."""
    by_length = {length: [] for length in SINGLE_LENGTHS}
    for ids in token_ids(read_lines(SINGLES_FILE)):
        if len(ids) not in by_length:
            sys.exit(f"`singles.txt` has a message of {len(ids)} tokens; wanted are {SINGLE_LENGTHS}")
        by_length[len(ids)].append(ids)
    return by_length


def split_texts(split):
    """The texts of one split of the training data, those with a line break left out."""
    rows = (SOURCE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(row)["text"].strip() for row in rows]
    return [text for text in texts if len(text.splitlines()) == 1]


def wanted_lengths():
    """The quantiles of the log-normal law, one for each message: nothing is left to chance but the texts."""
    normal = statistics.NormalDist()
    quantiles = (normal.inv_cdf((index + 0.5) / MESSAGES) for index in range(MESSAGES))
    lengths = (round(MEDIAN * math.exp(SIGMA * quantile)) for quantile in quantiles)
    return [min(LONGEST, max(SHORTEST, length)) for length in lengths]


class Pool:
    """Texts by length. Draws without repeating until a length is used up, then starts that length again."""

    def __init__(self, texts, generator):
        self.generator = generator
        self.by_length = {}
        for text, ids in zip(texts, token_ids(texts)):
            self.by_length.setdefault(len(ids) - SPECIAL_TOKENS, []).append(text)
        self.left = {length: [] for length in self.by_length}
        self.repeated = 0

    def draw(self, inner):
        """A text of exactly `inner` tokens without [CLS] and [SEP], or None where no text is that long."""
        if inner not in self.by_length:
            return None
        if not self.left[inner]:
            self.left[inner] = self.generator.sample(self.by_length[inner], len(self.by_length[inner]))
        return self.left[inner].pop()

    def join(self, inner):
        """Texts joined by a space that together have exactly `inner` tokens."""
        lengths = sorted(self.by_length)
        for _ in range(10_000):
            parts, rest = [], inner
            while rest > LONGEST_DRAWN_WHOLE:
                parts.append(self.generator.choice([length for length in lengths if 8 <= length <= 40]))
                rest -= parts[-1]
            if rest in self.by_length:
                return " ".join(self.draw(length) for length in [*parts, rest])
        sys.exit(f"no texts join to {inner} tokens")

    def text(self, length):
        """A text of `length` tokens, [CLS] and [SEP] included."""
        inner = length - SPECIAL_TOKENS
        whole = self.draw(inner) if inner <= LONGEST_DRAWN_WHOLE else None
        return whole or self.join(inner)


def figures(lengths):
    """What the mix is meant to be, as one line."""
    ordered = sorted(lengths)
    return (
        f"{len(ordered)} messages, tokens: median {statistics.median(ordered):g}, mean {statistics.mean(ordered):.1f}, "
        f"p95 {ordered[int(0.95 * len(ordered))]}, shortest {ordered[0]}, longest {ordered[-1]}, sum {sum(ordered)}"
    )


def make():
    """Writes both files and prints the figures of the mix."""
    generator = random.Random(SEED)
    pool = Pool(split_texts("train") + split_texts("valid"), generator)
    mix = [pool.text(length) for length in wanted_lengths()]
    generator.shuffle(mix)
    singles = [pool.text(length) for length in SINGLE_LENGTHS for _ in range(SINGLES_PER_LENGTH)]
    MIX_FILE.write_text("".join(f"{text}\n" for text in mix), encoding="utf-8")
    SINGLES_FILE.write_text("".join(f"{text}\n" for text in singles), encoding="utf-8")
    print(f"{figures([len(ids) for ids in mix_ids()])}; {len(set(mix))} distinct texts")
    print("singles:", {length: len(messages) for length, messages in single_ids().items()})


if __name__ == "__main__":
    make()
