"""How a peer is given the mix: messages sorted by length, cut into batches. Several ways are tried and the fastest is kept."""

import queue
import threading
import time

# (kind, size). `rows`: that many messages, padded to the longest; `tokens`: as many messages as stay within that many tokens, padding
# counted; `equal`: the same, but only messages of one length, so that nothing is padded.
PLANS = [
    ("rows", 16), ("tokens", 512), ("equal", 512), ("rows", 8), ("rows", 32), ("tokens", 256), ("tokens", 1024), ("equal", 256),
    ("equal", 1024), ("tokens", 128), ("equal", 128), ("tokens", 2048), ("rows", 64), ("rows", 4), ("rows", 1),
]
# A plan is given up once it has taken this many times what the best one took; not sooner, since shapes seen for the first time cost more.
GIVE_UP = 1.6


def batches(messages, plan):
    """The messages cut into batches, the dearest first, so that two threads end together."""
    kind, size = plan
    made = []
    for message in sorted(messages, key=len):
        last = made[-1] if made else []
        fits = len(last) < size if kind == "rows" else (len(last) + 1) * len(message) <= size
        if last and fits and (kind != "equal" or len(last[0]) == len(message)):
            last.append(message)
        else:
            made.append([message])
    return sorted(made, key=lambda batch: -len(batch) * len(batch[-1]))


def run(engine, made, streams, limit=float("inf"), between=None):
    """Seconds that the batches take, or None once `limit` seconds are over. `between` is called after each batch of a single stream."""
    begin = time.perf_counter()
    if streams == 1:
        for batch in made:
            engine.run(batch)
            if between:
                between()
            if time.perf_counter() - begin > limit:
                return None
        return time.perf_counter() - begin
    return run_streams(engine, made, streams, begin, limit)


def run_streams(engine, made, streams, begin, limit):
    """As `run`, several batches at once, each in a Python thread of its own; the engines compute without Python's lock."""
    waiting = queue.SimpleQueue()
    for batch in made:
        waiting.put(batch)
    failures = []

    def work():
        try:
            while time.perf_counter() - begin <= limit:
                engine.run(waiting.get_nowait())
        except queue.Empty:
            pass
        except Exception as error:  # told to the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    seconds = time.perf_counter() - begin
    return seconds if waiting.empty() and seconds <= limit else None


def name(plan):
    """A plan in words, for the record."""
    kind, size = plan
    return {"rows": f"{size} messages", "tokens": f"{size} tokens", "equal": f"{size} tokens of equal lengths"}[kind] + " a batch"
