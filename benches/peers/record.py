"""The record: what a run measured, as rows of a CSV file in `benches/record/`.

A row is one metric of one line: `median`, `best` and `worst` are over the rounds. `latency_p50` and `latency_p99` are microseconds of one
message alone, `n` the samples; `messages_per_second` and `tokens_per_second` are of the mix, `n` the rounds; `cosine_mean` and
`cosine_worst` compare the vectors with f32, `n` the messages. `quiet_share` is the share of samples between two quiet probes, which alone
are counted with one thread; it is empty where nothing was probed.
"""

import csv
import re
import statistics
from pathlib import Path

from workload import REPOSITORY

COLUMNS = [
    "cpu", "isa", "isa_cap", "key", "engine", "version", "precision", "threads", "mode", "tokens",
    "metric", "median", "best", "worst", "n", "rounds", "quiet_share", "setting",
]
# The strongest of these names what the machine offers.
LEVELS = [
    ("amx_int8", "amx"), ("avx512_bf16", "avx512_bf16"), ("avx512_vnni", "avx512_vnni"), ("avx512f", "avx512"), ("avx_vnni", "avx_vnni"), ("avx2", "avx2"),
]
# A round of the mix counts where at least this share of its probes was quiet.
QUIET_ROUND = 0.9


def processor():
    """Name of the processor, with family and model since names can be vague, and the strongest instruction set of `LEVELS`."""
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    fields = dict(re.findall(r"^([^\t\n]+)\t*: (.*)$", text.split("\n\n")[0], re.MULTILINE))
    name = fields.get("model name", "unknown processor")
    name += f", family {fields['cpu family']} model {fields['model']}" if "cpu family" in fields else ""
    flags = fields.get("flags", "").split()
    return name, next((level for flag, level in LEVELS if flag in flags), "none of those known")


def default_path():
    """`benches/record/cpu-<processor>.csv`."""
    slug = re.sub(r"[^a-z0-9]+", "-", processor()[0].lower()).strip("-")
    return REPOSITORY / "benches" / "record" / f"cpu-{slug}.csv"


def read(path):
    """The rows of a record as dictionaries, numbers as floats."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["median"], row["threads"] = float(row["median"]), int(row["threads"])
    return rows


class Record:
    """Collects the turns of a run."""

    def __init__(self, path):
        self.path = path
        self.cpu, self.isa = processor()
        self.versions, self.precisions, self.samples = {}, {}, {}

    def version(self, line, version):
        self.versions[line.key] = version

    def add(self, line, threads, mode, tokens, metric, value, n, quiet_share=None, setting=""):
        """One round's figure of one metric."""
        key = (line, threads, mode, tokens, metric)
        self.samples.setdefault(key, []).append((value, n, quiet_share, setting))

    def quality(self, line, threads, figures):
        for metric in ("mean", "worst"):
            self.add(line, threads, "quality", "", f"cosine_{metric}", figures[metric], figures["messages"])

    def turn(self, line, threads, mode, answer):
        """An engine's answer to one turn."""
        if mode == "mix":
            self.versions.setdefault(line.key, answer.get("version", ""))
            self.precisions[line.key] = answer.get("precision", line.precision)
            if "cosine" in answer:
                self.quality(line, threads, answer["cosine"])
            for metric in ("messages_per_second", "tokens_per_second"):
                self.add(line, threads, mode, "", metric, answer[metric], 1, answer["quiet_share"], answer["setting"])
            return
        for length, figures in answer.items():
            for name in ("p50", "p99"):
                share = figures["quiet_share"] if threads == 1 else None
                self.add(line, threads, mode, length, f"latency_{name}", figures[name], figures["samples"], share)

    def row(self, key, samples):
        """One row from the rounds' figures. Rounds of the mix that a neighbour disturbed are left out where quiet ones remain."""
        line, threads, mode, tokens, metric = key
        quiet = [sample for sample in samples if sample[2] is None or sample[2] >= QUIET_ROUND]
        counted = quiet if mode == "mix" and quiet else samples
        values = [sample[0] for sample in counted]
        shares = [sample[2] for sample in samples if sample[2] is not None]
        higher_is_better = mode != "latency"
        digits = 5 if mode == "quality" else 1
        best, worst = (max(values), min(values)) if higher_is_better else (min(values), max(values))
        return [
            self.cpu, self.isa, line.cap, line.key, line.label, self.versions.get(line.key, ""), self.precisions.get(line.key, line.precision), threads, mode, tokens,
            metric, *(round(value, digits) for value in (statistics.median(values), best, worst)), sum(sample[1] for sample in counted),
            len(counted), round(statistics.mean(shares), 3) if shares else "", samples[-1][3],
        ]

    def write(self):
        """Writes the file as a whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self.row(key, samples) for key, samples in self.samples.items())
