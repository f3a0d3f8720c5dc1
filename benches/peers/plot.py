"""Draws a record: latency of one message by its length (both axes logarithmic), and the mix as bars. `plot.py RECORD` writes an .svg beside it.

Lines whose instruction set is capped are left to the table. The drawing has no date and no random identifiers, so that the same record
gives the same file.
"""

import sys
from pathlib import Path

import matplotlib
import record
from table import Figures

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (the backend has to be chosen first)

INK, FAINT = "#222222", "#dddddd"
OWN = "#c2410c"
FAMILIES = {"openvino": "#1d4ed8", "onnxruntime": "#047857", "ctranslate2": "#7c3aed", "pytorch": "#6b7280"}
STYLES = {"int8": "-", "bf16": "--", "fp32": ":"}


def colour(row):
    """A colour a family of engines."""
    return FAMILIES.get(row["key"].split("-")[0], OWN)


def style(row):
    """A dash pattern a precision; models for each length are dash-dotted."""
    return "-." if row["key"].endswith("-static") else STYLES.get(row["precision"], "-")


def clean(axes, title, grid):
    """Only the lines that are needed."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.grid(axis=grid, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def draw_latency(axes, figures):
    """One message alone, with the fewest threads that were measured."""
    threads = figures.threads[0]
    lengths = [int(length) for length in figures.lengths]
    for key in figures.ordered(capped=False):
        row = figures.lines[key]
        points = [figures.median(key, threads, "latency_p50", length) for length in figures.lengths]
        if None in points:
            continue
        own = key.startswith("hearken")
        axes.plot(
            lengths, [point / 1000 for point in points], style(row), color=colour(row), marker="o", markersize=3,
            linewidth=2.4 if own else 1.2, label=row["engine"], zorder=3 if own else 2,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(lengths, [str(length) for length in lengths])
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.set_xlabel("tokens", fontsize=8, color=INK)
    clean(axes, f"One message alone, median ms, {threads} thread{'s' if threads > 1 else ''} (less is better)", "both")
    axes.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


def draw_mix(axes, figures):
    """The mix: a bar for each number of threads, the strongest colour for the most."""
    keys = [key for key in figures.ordered(capped=False) if figures.median(key, figures.threads[0], "messages_per_second")]
    keys.reverse()
    height = 0.8 / len(figures.threads)
    for index, threads in enumerate(figures.threads):
        for place, key in enumerate(keys):
            value = figures.median(key, threads, "messages_per_second")
            if value is None:
                continue
            at = place + 0.4 - height * (index + 0.5)
            strength = (index + 1) / len(figures.threads)
            axes.barh(at, value, height * 0.92, color=colour(figures.lines[key]), alpha=0.4 + 0.6 * strength)
            label = f" {value:,.0f}" + (f" ({threads} thread{'s' if threads > 1 else ''})" if place == len(keys) - 1 else "")
            axes.text(value, at, label, va="center", fontsize=7, color=INK)
    axes.set_yticks(range(len(keys)), [figures.lines[key]["engine"] for key in keys])
    axes.set_xticks([])
    axes.margins(x=0.2)
    clean(axes, "The mix of 1,000, messages/s (more is better)", "x")


def main(path):
    """Writes the drawing; says where."""
    rows = record.read(path)
    figures = Figures(rows)
    if not figures.lengths or not figures.threads:
        sys.exit(f"the record `{path.name}` has no latencies to draw")
    matplotlib.rcParams.update({"svg.hashsalt": "hearken", "svg.fonttype": "path", "font.family": "DejaVu Sans"})
    drawing, (left, right) = pyplot.subplots(1, 2, figsize=(11, 5.4), layout="constrained")
    draw_latency(left, figures)
    draw_mix(right, figures)
    drawing.suptitle(f"{rows[0]['cpu']} ({rows[0]['isa'].replace('_', ' ')})", fontsize=8, color="#666666", x=0.01, ha="left")
    target = path.with_suffix(".svg")
    drawing.savefig(target, metadata={"Date": None, "Creator": None}, facecolor="white")
    # matplotlib ends lines with spaces, which no file of this repository has.
    target.write_text("".join(f"{line.rstrip()}\n" for line in target.read_text().splitlines()))
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else record.default_path())
