"""The README's table of peers, made from a record: latency of one message by length, the mix, and the cosine to f32.

`table.py RECORD` prints it; with `--write README.md` it replaces what stands between `<!-- peers:begin -->` and `<!-- peers:end -->`.
"""

import argparse
import sys
from pathlib import Path

import record

BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"


class Figures:
    """A record's medians by what they measure."""

    def __init__(self, rows):
        self.rows = rows
        self.medians = {(row["key"], row["threads"], row["metric"], row["tokens"]): row["median"] for row in rows}
        self.threads = sorted({row["threads"] for row in rows if row["mode"] != "quality"})
        self.lengths = sorted({row["tokens"] for row in rows if row["mode"] == "latency"}, key=int)
        self.lines = {row["key"]: row for row in rows}

    def median(self, key, threads, metric, tokens=""):
        return self.medians.get((key, threads, metric, tokens))

    def cosine(self, key, metric):
        """The same for every number of threads; the first that has it."""
        return next((row["median"] for row in self.rows if row["key"] == key and row["metric"] == metric), None)

    def ordered(self, capped):
        """Keys of the lines whose instruction set is capped, or not, the fastest on the mix first."""
        keys = [key for key, row in self.lines.items() if bool(row["isa_cap"]) == capped]
        first = self.threads[0] if self.threads else 1

        def rank(key):
            alone = self.median(key, first, "latency_p50", self.lengths[0]) if self.lengths else None
            return (not key.startswith("hearken"), -(self.median(key, first, "messages_per_second") or 0), alone or 0)

        return sorted(keys, key=rank)


def cell(values, digits=0):
    """Figures of each number of threads in one cell; a dash where there is none."""
    shown = ["–" if value is None else f"{value:,.{digits}f}" for value in values]
    return "–" if set(shown) == {"–"} else " / ".join(shown)


def line(figures, key):
    """One row of the table."""
    row = figures.lines[key]
    label = f"{row['engine']}, capped at {row['isa_cap'].replace('_', ' ')}" if row["isa_cap"] else row["engine"]
    label = f"**{label}**" if key.startswith("hearken") else label
    cells = [cell([figures.median(key, count, "latency_p50", length) for count in figures.threads]) for length in figures.lengths]
    cells.append(cell([figures.median(key, count, "messages_per_second") for count in figures.threads]))
    mean, worst = (figures.cosine(key, metric) for metric in ("cosine_mean", "cosine_worst"))
    cells.append("–" if mean is None else f"{mean:.4f} / {worst:.4f}")
    return f"| {label} | " + " | ".join(cells) + " |"


def table(rows):
    """The whole table as Markdown, with the sentence that says how to read it."""
    figures = Figures(rows)
    threads = " / ".join(f"{count} thread{'s' if count > 1 else ''}" for count in figures.threads)
    rounds = max((int(row["rounds"]) for row in rows if row["mode"] == "mix"), default=0)
    about = (
        f"{rows[0]['cpu']} ({rows[0]['isa'].replace('_', ' ')}). One message alone, median µs by its length in tokens, and messages/s on a mix of "
        f"1,000 (median 14 tokens, at most 128) at each engine's best batching; {threads}; medians of {rounds} alternating rounds; `benches/peers/run`. "
        f"Cosine: pooled vector to f32, mean / worst."
    )
    header = ["", *(f"{length} tokens" for length in figures.lengths), "mix, messages/s", "cosine"]
    lines = [about, "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += [line(figures, key) for key in [*figures.ordered(capped=False), *figures.ordered(capped=True)]]
    return "\n".join(lines)


def write(path, text):
    """Puts the table between the markers of a file; an error where it has none."""
    old = path.read_text(encoding="utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        sys.exit(f"`{path.name}` needs one `{BEGIN}` and after it one `{END}`")
    before, rest = old.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record", type=Path, nargs="?", default=record.default_path())
    parser.add_argument("--write", type=Path, metavar="README.md")
    options = parser.parse_args()
    if not options.record.exists():
        sys.exit(f"no record `{options.record.name}`: run `benches/peers/run` first")
    rows = record.read(options.record)
    if not rows:
        sys.exit(f"the record `{options.record.name}` is empty")
    text = table(rows)
    if options.write:
        write(options.write, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
