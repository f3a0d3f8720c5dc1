"""One engine in a process of its own: pinned, kept alive between rounds, commanded over a pipe with one line of JSON a command.

Started by `measure.py` with one argument, a JSON object: `line` (its key), `exports`, `threads`, `quiet_floor` and `probe`. Commands:
`tune`, `latency`, `mix`, `quality`, `stop`. Each is answered by one line of JSON, `{"error": …}` where it failed.
"""

import ctypes
import gc
import importlib
import json
import os
import statistics
import sys
import time
from pathlib import Path

PERCENTILE = 0.99
# The batchings that were fastest at first are tried this many times more.
FINALISTS, MORE_TRIES = 4, 2
LEAST_SAMPLES = 20
# The share of a sample that the process must have had the core for: less, and another process ran meanwhile.
OWN_SHARE = 0.97


class Probe:
    """Whether the core was undisturbed since the last time it was asked: `probe.c` sees a neighbour on the same physical core, the
    processor time that this process got another process on this one. Without `probe.c` only the latter counts; with a floor of 0, nothing does."""

    def __init__(self, path, floor):
        self.floor = floor
        self.wall = self.own = 0.0
        self.call = None
        if path and floor > 0:
            self.call = ctypes.CDLL(path).quiet_probe
            self.call.restype = ctypes.c_double

    def quiet(self):
        if self.floor <= 0:
            return True
        wall, own = time.perf_counter(), time.process_time()
        undisturbed = own - self.own >= OWN_SHARE * (wall - self.wall)
        self.wall, self.own = wall, own
        return (self.call is None or self.call() >= self.floor) and undisturbed


class Worker:
    def __init__(self, line, exports, threads, probe):
        import workload

        self.line, self.exports, self.threads, self.probe = line, Path(exports), threads, probe
        self.encoder = importlib.import_module(line.module).Encoder
        self.mix_messages, self.singles = workload.mix_ids(), workload.single_ids()
        self.prepared = {}

    def engine(self, setting):
        """The engine in this setting, loaded on first use."""
        key = json.dumps(setting, sort_keys=True)
        if key not in self.prepared:
            engine = self.encoder()
            engine.prepare(self.exports, self.threads, self.line, setting)
            self.prepared[key] = engine
        return self.prepared[key]

    def tune(self, seconds, plans=None, known=None):
        """Finds the fastest setting for each purpose and the fastest of the first `plans` batchings, or takes those `known` already."""
        if known:
            self.chosen = known
        else:
            self.chosen = {"latency": self.tune_latency(seconds)}
            if self.line.batches:
                self.chosen |= self.tune_mix(plans)
        kept = [json.dumps(self.chosen[purpose], sort_keys=True) for purpose in ("latency", "mix") if purpose in self.chosen]
        self.prepared = {key: engine for key, engine in self.prepared.items() if key in kept}
        gc.collect()
        for length, messages in self.singles.items():
            self.engine(self.chosen["latency"]).run(messages[:1])
        return {"chosen": self.chosen, "version": self.encoder.version, "name": self.encoder.name}

    def tune_latency(self, seconds):
        settings = self.encoder.settings(self.line, self.threads, "latency")
        if len(settings) == 1:
            return settings[0]

        def cost(setting):
            """Relative: each length counts the same."""
            figures = self.alone(setting, seconds)
            return statistics.geometric_mean(figure["p50"] for figure in figures.values())

        return min(self.able(settings, cost), key=lambda pair: pair[1])[0]

    def able(self, settings, cost):
        """The settings that work here, each with what `cost` says of it; an error where none does."""
        found, failures = [], []
        for setting in settings:
            try:
                found.append((setting, cost(setting)))
            except Exception as error:  # such as a precision that the capped instruction set does not have
                failures.append(f"{setting}: {error}")
                print(failures[-1], file=sys.stderr)
        if not found:
            raise RuntimeError("; ".join(failures))
        return found

    def tune_mix(self, plans):
        """Every setting with every plan, a hopeless one cut short; then the best few again, so that one slow moment decides nothing."""
        import batching

        tried = []

        def attempt(setting, plan, limit):
            made = batching.batches(self.mix_messages, plan)
            seconds = batching.run(self.engine(setting), made, setting["streams"], limit)
            tried.append({"mix": setting, "plan": plan, "seconds": seconds})
            return seconds or float("inf")

        def all_plans(setting):
            batching.run(self.engine(setting), batching.batches(self.mix_messages, ("rows", 64)), setting["streams"])
            for plan in batching.PLANS[:plans]:
                best = min((one["seconds"] for one in tried if one["seconds"]), default=float("inf"))
                attempt(setting, plan, best * batching.GIVE_UP)

        self.able(self.encoder.settings(self.line, self.threads, "mix"), all_plans)
        finalists = sorted((one for one in tried if one["seconds"]), key=lambda one: one["seconds"])[:FINALISTS]
        for one in finalists * MORE_TRIES:
            one["seconds"] = min(one["seconds"], attempt(one["mix"], one["plan"], float("inf")))
        best = min(finalists, key=lambda one: one["seconds"])
        return {"mix": best["mix"], "plan": best["plan"], "tried": tried}

    def latency(self, seconds):
        return self.alone(self.chosen["latency"], seconds)

    def alone(self, setting, seconds):
        """Each length for `seconds`, one message at a time; p50 and p99 in microseconds of the samples between two quiet probes."""
        return {length: self.alone_at(self.engine(setting), messages, seconds) for length, messages in self.singles.items()}

    def alone_at(self, engine, messages, seconds):
        for message in messages:
            engine.run([message])
        samples, quiet = [], []
        end = time.perf_counter() + seconds
        before = self.probe.quiet()
        while time.perf_counter() < end or len(samples) < LEAST_SAMPLES:
            message = [messages[len(samples) % len(messages)]]
            begin = time.perf_counter_ns()
            engine.run(message)
            samples.append((time.perf_counter_ns() - begin) / 1000)
            after = self.probe.quiet()
            quiet.append(before and after)
            before = after
        counted = [sample for sample, good in zip(samples, quiet) if good] or samples
        counted.sort()
        return {
            "p50": statistics.median(counted), "p99": counted[min(len(counted) - 1, int(PERCENTILE * len(counted)))],
            "samples": len(counted), "quiet_share": sum(quiet) / len(quiet),
        }

    def mix(self):
        """The whole mix once."""
        import batching

        setting, plan = self.chosen["mix"], tuple(self.chosen["plan"])
        made, probes = batching.batches(self.mix_messages, plan), []
        self.probe.quiet()
        seconds = batching.run(self.engine(setting), made, setting["streams"], between=lambda: probes.append(self.probe.quiet()))
        tokens = sum(map(len, self.mix_messages))
        ways = ", ".join(f"{name} {value}" for name, value in setting.items())
        return {
            "messages_per_second": len(self.mix_messages) / seconds, "tokens_per_second": tokens / seconds,
            "quiet_share": sum(probes) / len(probes) if probes else None, "setting": f"{batching.name(plan)}; {ways}",
        }

    def quality(self):
        import quality

        setting = self.chosen.get("mix", self.chosen["latency"])
        return quality.measure(self.engine(setting), self.exports)


def answers():
    """A private stream to the caller; what libraries print on standard output goes to standard error instead."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


def main(arguments):
    out = answers()
    os.sched_setaffinity(0, arguments["cpus"])
    from engines import LINES

    line = next(line for line in LINES if line.key == arguments["line"])
    worker = None
    for command in map(json.loads, sys.stdin):
        try:
            if command["do"] == "stop":
                return
            worker = worker or Worker(line, arguments["exports"], arguments["threads"], Probe(arguments["probe"], arguments["quiet_floor"]))
            gc.collect()
            gc.disable()
            answer = getattr(worker, command.pop("do"))(**command)
            gc.enable()
        except Exception as error:  # a peer's own kinds of errors end its line, not the run
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
