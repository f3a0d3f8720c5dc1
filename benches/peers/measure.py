"""Runs every engine over the same work, in rounds, and writes the record. Called by `run`; `--help` lists its options.

A round gives each engine one turn at the mix and one at the single messages, in an order that moves on by one from round to round, so that
a slow minute of the machine falls on all. First all rounds with one thread on one core, then all with two.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import batching
import record
from engines import HEARKEN_LINES, LINES
from engines.hearken_command import Hearken, available
from workload import REPOSITORY

HERE = Path(__file__).resolve().parent
PROBE = REPOSITORY / "target" / "peers" / "probe.so"
# A probe under this share of the machine's usual figure says that a neighbour is at work.
QUIET_SHARE_OF_USUAL = 0.8
# Thread pools spin for a while after their last work; the next engine waits this long.
SETTLE_SECONDS = 0.3


class Worker:
    """An engine's process and the pipe to it."""

    def __init__(self, line, exports, threads, quiet_floor):
        self.line, self.failure = line, ""
        arguments = {
            "line": line.key, "exports": str(Path(exports).resolve()), "threads": threads, "cpus": cores(threads),
            "quiet_floor": quiet_floor if threads == 1 else 0.0, "probe": str(PROBE) if PROBE.exists() else "",
        }
        fixed = {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
        log = REPOSITORY / "target" / "peers" / f"{line.key}-{threads}.log"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), json.dumps(arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log.open("w"), text=True, env=os.environ | fixed | line.environment,
        )

    def ask(self, command, **arguments):
        """A command's answer. An error is kept in `failure`, and raised."""
        try:
            self.process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or '{"error": "its process ended"}')
        except BrokenPipeError:
            answer = {"error": "its process ended"}
        if "error" in answer:
            self.failure = f"{command}: {answer['error']}"
            raise RuntimeError(self.failure)
        return answer

    def stop(self):
        """Ends the process."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait(timeout=60)


def cores(threads):
    """The cores to pin to: the last ones, since the first does more of the system's own work."""
    return sorted(os.sched_getaffinity(0))[-threads:]


def usual_probe():
    """The machine's usual figure of the quiet probe: the 90th percentile over a second; 1 where there is no probe, which nothing reads."""
    if not PROBE.exists():
        print("no quiet probe, since `cc` was not found: a neighbour on the same physical core goes unseen")
        return 1.0
    probe = ctypes.CDLL(str(PROBE)).quiet_probe
    probe.restype = ctypes.c_double
    found, end = [], time.monotonic() + 1
    while time.monotonic() < end:
        found.append(probe())
    found.sort()
    print(f"quiet probe: usual {found[int(0.9 * len(found))]:.1f} G additions/s, median {found[len(found) // 2]:.1f}")
    return found[int(0.9 * len(found))]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.4, help="time on each message length in one turn")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", help="keys of `engines/__init__.py`; all where it is left out")
    parser.add_argument("--exports", type=Path, default=REPOSITORY / "target" / "peers" / "exports")
    parser.add_argument("--hearken", type=Path, default=REPOSITORY / "target" / "release" / "hearken")
    parser.add_argument("--plans", type=int, help="how many of the ways to cut the mix into batches are tried; all where it is left out")
    parser.add_argument("--keep-tuning", action="store_true", help="take the batchings that an earlier run found best")
    parser.add_argument("--output", type=Path, default=record.default_path(), help="the record, a .csv file")
    options = parser.parse_args()
    options.exports, options.hearken, options.output = (path.resolve() for path in (options.exports, options.hearken, options.output))
    known = {line.key for line in [*LINES, *HEARKEN_LINES]}
    unknown = set(options.engines or []) - known
    if unknown:
        parser.error(f"unknown engines {sorted(unknown)}; known are {sorted(known)}")
    if max(options.threads) > len(os.sched_getaffinity(0)):
        parser.error(f"{max(options.threads)} threads are wanted, but this process may use {len(os.sched_getaffinity(0))} cores")
    return options


def settings_in_words(chosen):
    """What the tuning chose, in a line."""
    mix = f", mix {chosen['mix']} in {batching.name(chosen['plan'])}" if "mix" in chosen else ""
    return f"alone {chosen['latency']}{mix}"


class Tuning:
    """What an earlier run found best for each engine and number of threads, in a file under `target/`."""

    def __init__(self, path, keep, plans):
        self.path, self.plans = path, plans
        self.known = json.loads(path.read_text()) if path.exists() and keep else {}

    def apply(self, worker, threads, seconds):
        """Tunes a worker, or tells it what is known."""
        key = f"{worker.line.key}/{threads}"
        answer = worker.ask("tune", seconds=seconds / 2, plans=self.plans, known=self.known.get(key))
        self.known[key] = answer["chosen"]
        self.path.write_text(json.dumps(self.known, indent=1))
        return answer


def start(options, threads, floor, tuning, results):
    """The workers that can run, tuned, their quality in the results. Each is tuned while the others are idle."""
    workers = []
    for line in LINES:
        if options.engines and line.key not in options.engines:
            continue
        worker = Worker(line, options.exports, threads, floor)
        try:
            answer = tuning.apply(worker, threads, options.seconds)
            results.version(line, answer["version"])
            if line.batches and threads == options.threads[0]:
                results.quality(line, threads, worker.ask("quality"))
            workers.append(worker)
            print(f"  {line.key}: {settings_in_words(answer['chosen'])}", flush=True)
        except RuntimeError as error:
            print(f"  {line.key} is left out: {error}", file=sys.stderr)
            worker.stop()
    return workers


def turn(worker, purpose, options, threads, results):
    """One engine's turn."""
    try:
        if isinstance(worker, Hearken):
            answer = worker.mix() if purpose == "mix" else worker.latency()
        elif purpose == "mix":
            answer = worker.ask("mix")
        else:
            answer = worker.ask("latency", seconds=options.seconds)
    except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
        print(f"  {worker.line.key}, {purpose}: {error}", file=sys.stderr)
        return
    results.turn(worker.line, threads, purpose, answer)
    time.sleep(SETTLE_SECONDS)


def measure(options):
    """All rounds; the record is written after each, so that a run that is stopped leaves what it has."""
    results = record.Record(options.output)
    tuning = Tuning(REPOSITORY / "target" / "peers" / "tuning.json", options.keep_tuning, options.plans)
    floor = usual_probe() * QUIET_SHARE_OF_USUAL
    missing = available(options.hearken)
    if missing:
        print(f"hearken's own lines are skipped: {missing}")
    for threads in options.threads:
        print(f"{threads} threads: loading and trying batchings", flush=True)
        workers = start(options, threads, floor, tuning, results)
        own = [] if missing else [line for line in HEARKEN_LINES if not options.engines or line.key in options.engines]
        everyone = [*(Hearken(options.hearken, line, threads, cores(threads)) for line in own), *workers]
        for number in range(options.rounds):
            begin = time.monotonic()
            first = number % max(1, len(everyone))
            for purpose in ("mix", "latency"):
                for worker in everyone[first:] + everyone[:first]:
                    if purpose == "latency" or worker.line.batches:
                        turn(worker, purpose, options, threads, results)
            results.write()
            load = os.getloadavg()[0]
            print(f"  round {number + 1} of {options.rounds}: {time.monotonic() - begin:.0f} s, load {load:.1f}", flush=True)
        for worker in workers:
            worker.stop()
    print(f"wrote {os.path.relpath(options.output, REPOSITORY)}")


if __name__ == "__main__":
    measure(arguments())
