"""How far each peer's vector is from f32: the cosine of the mean-pooled vectors, over 200 messages of the test split.

The reference is PyTorch in f32 with each message alone (`export.py` writes it); a peer gets the messages in padded batches of 16, as it
would in practice. Run alone, `quality.py FOLDER` prints the figures of every peer; `measure.py` puts them into the record.
"""

import random
import sys
from pathlib import Path

import numpy
import workload

MESSAGES = 200
SEED = 200
ROWS = 16


def texts():
    """The messages that quality is measured on: none of them was used to calibrate or to train."""
    return random.Random(SEED).sample(workload.split_texts("test"), MESSAGES)


def message_ids():
    """Their token ids."""
    return workload.token_ids(texts())


def cosines(vectors, expected):
    """Cosine of each row of two [messages, hidden] arrays, computed in f64."""
    vectors, expected = vectors.astype(numpy.float64), expected.astype(numpy.float64)
    norms = numpy.linalg.norm(vectors, axis=1) * numpy.linalg.norm(expected, axis=1)
    return (vectors * expected).sum(1) / norms


def measure(engine, exports):
    """Mean and worst cosine of a prepared engine."""
    ids = message_ids()
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    expected = numpy.load(Path(exports) / "reference.npy")
    vectors = numpy.empty_like(expected)
    for start in range(0, len(order), ROWS):
        rows = order[start : start + ROWS]
        vectors[rows] = engine.run([ids[index] for index in rows])
    if not numpy.isfinite(vectors).all():
        raise ValueError("a vector is not finite")
    found = cosines(vectors, expected)
    return {"mean": float(found.mean()), "worst": float(found.min()), "messages": len(ids)}


def first_settings(line):
    """The first of the settings of this line: quality does not depend on which."""
    import importlib

    return {"latency": importlib.import_module(line.module).Encoder.settings(line, 1, "latency")[0]}


def main(exports):
    """Prints a line for each peer, each in a process of its own."""
    import measure as measurement
    from engines import LINES

    for line in LINES:
        if line.cap or not line.batches:
            continue
        worker = measurement.Worker(line, exports, threads=1, quiet_floor=0.0)
        worker.ask("tune", seconds=0.1, known=first_settings(line))
        figures = worker.ask("quality")
        worker.stop()
        print(f"{line.label:40} mean {figures['mean']:.5f} worst {figures['worst']:.5f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: quality.py FOLDER, the folder that `export.py` wrote")
    main(Path(sys.argv[1]))
