"""hearken itself: one short call of `hearken bench engine` a round, between the peers' turns.

It reads the same `workload.txt`, makes its single messages from `singles.txt`, and prints one JSON object: `messages_per_second` of the mix, or
with `--latency` the field `latency_us` with `p50` and `p99` for each length; `kernel_tier`, `precision` and `cosine`. The cosine is that to its
own kernels in f32, on the messages of `quality.py`. The option `arguments` of a line is appended to the command.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import quality
import workload

LIMIT_SECONDS = 300


@dataclass
class Hearken:
    """One line of hearken: the binary, its environment and its cores."""

    binary: Path
    line: object
    threads: int
    cpus: list

    def call(self, messages, *flags):
        """One call's JSON; an error says what the command printed."""
        command = [
            "taskset", "--cpu-list", ",".join(map(str, self.cpus)), str(self.binary), "bench", "engine",
            "--model", "models/storefront-en", "--device", "cpu", "--threads", str(self.threads),
            "--workload", str(messages.relative_to(workload.REPOSITORY)), "--json", "--seconds", "1", *flags,
            *self.line.options.get("arguments", []),
        ]
        done = subprocess.run(
            command, cwd=workload.REPOSITORY, env=os.environ | self.line.environment, capture_output=True, text=True, timeout=LIMIT_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"`hearken bench engine` ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)

    def mix(self):
        """The mix once, in the form of a worker's answer."""
        answer = self.call(workload.MIX_FILE)
        answer["cosine"] = self.call(quality_file()).get("cosine")
        return {"setting": answer.get("kernel_tier", ""), "quiet_share": None} | answer

    def latency(self):
        """Each length's single messages, in the form of a worker's answer."""
        answer = self.call(workload.SINGLES_FILE, "--latency")
        share = answer.get("quiet_share")
        return {length: {"samples": 1, "quiet_share": share} | figures for length, figures in answer["latency_us"].items()}


def quality_file():
    """The messages of `quality.py`, one a line."""
    file = workload.REPOSITORY / "target" / "peers" / "quality.txt"
    file.write_text("".join(" ".join(text.split()) + "\n" for text in quality.texts()))
    return file


def available(binary):
    """Whether the binary is there and knows `bench engine`; the reason where it does not."""
    if not binary.exists():
        return f"`{binary.name}` is not built"
    known = subprocess.run([str(binary), "bench", "engine", "--help"], capture_output=True, text=True)
    return "" if known.returncode == 0 else f"`{binary.name}` has no `bench engine`"
