"""The peers on a GPU: PyTorch as it is and compiled, and ONNX Runtime. `scripts/gpu-check` runs them beside hearken.

Work: arrays of token ids in host memory to mean-pooled vectors in host memory, the weights on the card. Cutting the messages into batches
and padding them is done before and not counted. Batches go to the card one after another without waiting for the one before; a pass ends
when its last vector has arrived. The mask is prepared as well: attention takes it as it comes, and the mean is one product with it.
"""

import gc
import time
import warnings

import batching
import export
import numpy

# (kind, size, multiple), the likeliest first. `tokens` and `rows` as in batching.py, padded to a multiple; `equal`: only messages of one
# padded length in a batch, so that there are few shapes, and with the multiple 1 nothing is padded.
LOOSE = [
    ("equal", 16384, 1), ("tokens", 16384, 8), ("equal", 8192, 1), ("tokens", 8192, 8), ("tokens", 32768, 8), ("equal", 32768, 1),
    ("tokens", 4096, 8), ("equal", 4096, 1), ("rows", 256, 8), ("rows", 1024, 8), ("equal", 16384, 8),
]
STEPPED = [
    ("equal", 16384, 8), ("equal", 8192, 8), ("equal", 4096, 8), ("equal", 32768, 8), ("equal", 8192, 16), ("equal", 2048, 8),
    ("equal", 16384, 16),
]
# torch.compile's modes. Both compile once for all shapes; the second then records a CUDA graph for each.
AUTOTUNE, GRAPHS = "max-autotune-no-cudagraphs", "reduce-overhead"
# Dynamo's limit of versions of a function, which all models share here. Beyond it dynamo goes on uncompiled; it is told to fail instead.
DYNAMO = {"recompile_limit": 64, "cache_size_limit": 64, "fail_on_recompile_limit_hit": True}
GRAPH_WARNING = "cudagraph_dynamic_shape_warn_limit"
# Passes before those that count: the first compiles, the second records graphs.
WARM_PASSES = 3
WORST_COSINE = 0.999
CHECKED_MESSAGES = 64


class Unavailable(Exception):
    """Why a peer cannot be measured on this machine."""


def cut(messages, plan):
    """Batches by a plan, the dearest first, each as (messages, tokens of a row)."""
    kind, size, multiple = plan
    width = lambda message: -(-len(message) // multiple) * multiple
    if kind != "equal":
        return [(batch, width(batch[-1])) for batch in batching.batches(messages, (kind, size))]
    lengths = {}
    for message in messages:
        lengths.setdefault(width(message), []).append(message)
    made = []
    for length, found in sorted(lengths.items(), reverse=True):
        rows = max(1, size // length)
        made += [(found[start : start + rows], length) for start in range(0, len(found), rows)]
    return made


def plan_name(plan):
    """A plan in words, for the record."""
    kind, size, multiple = plan
    return batching.name((kind, size)) + (f", padded to multiples of {multiple}" if multiple > 1 else "")


def arrays(batch, width):
    """Ids and number of tokens: [rows, width] and [rows]."""
    ids = numpy.zeros((len(batch), width), dtype=numpy.int64)
    for row, message in enumerate(batch):
        ids[row, : len(message)] = message
    return ids, numpy.array([len(message) for message in batch])


class Peer:
    """One peer. A subclass has `prepare`, `batch` (what a cut becomes), `run_pass` (batches to the end) and `vectors`."""

    key = label = version = precision = setting = ""
    plans = LOOSE
    made = ()

    def tune(self, messages, limit):
        """Keeps the fastest of the first `limit` plans."""
        best = None
        for plan in self.plans[:limit]:
            made = [self.batch(*part) for part in cut(messages, plan)]
            for _ in range(WARM_PASSES):
                self.run_pass(made)
            seconds = min(self.timed(made) for _ in range(3))
            if best is None or seconds < best:
                best, self.made, self.setting = seconds, made, plan_name(plan)

    def timed(self, made):
        begin = time.perf_counter()
        self.run_pass(made)
        return time.perf_counter() - begin

    def mix(self, seconds):
        """Seconds of the median pass of the tuned mix."""
        self.run_pass(self.made)
        return self.samples([self.made], seconds)["p50"]

    def latency(self, messages, seconds):
        """Seconds of a message alone: p50, p99 and the samples."""
        singles = [[self.batch([message], len(message))] for message in messages]
        for single in singles * WARM_PASSES:
            self.run_pass(single)
        return self.samples(singles, seconds)

    def samples(self, choices, seconds):
        """Times of passes, one choice after the other. The garbage collector is off, as in worker.py."""
        found, end = [], time.perf_counter() + seconds
        gc.disable()
        while len(found) < 3 or time.perf_counter() < end:
            found.append(self.timed(choices[len(found) % len(choices)]))
        gc.enable()
        found.sort()
        return {"p50": found[(len(found) - 1) // 2], "p99": found[(len(found) - 1) * 99 // 100], "samples": len(found)}

    def check(self, messages, reference):
        """Raises where a vector is not that of the reference, which had each message alone."""
        for batch, width in cut(messages, ("tokens", 1024, 8)):
            for message, ours in zip(batch, self.vectors(batch, width).astype(numpy.float64)):
                theirs = reference[tuple(message)]
                cosine = ours @ theirs / (numpy.linalg.norm(ours) * numpy.linalg.norm(theirs))
                if not cosine >= WORST_COSINE:
                    raise RuntimeError(f"a vector of {self.key} has a cosine of {cosine:.5f} to PyTorch's in f32")


class PyTorch(Peer):
    """transformers' BertModel with scaled-dot-product attention, in inference mode; without a mask where no row of a batch is padded."""

    def __init__(self, precision, mode=""):
        self.precision, self.mode = precision, mode
        self.key = "-".join(filter(None, ["pytorch", {AUTOTUNE: "autotune", GRAPHS: "graphs"}.get(mode, ""), precision]))
        self.label = "PyTorch" + (f" compiled ({mode})" if mode else "")
        # Every shape is a graph of its own, so these have few.
        self.plans = STEPPED if mode == GRAPHS else LOOSE

    def prepare(self, exports, device):
        """Loads the weights onto the device, and compiles where there is a mode (the compiler itself runs at the first pass)."""
        import torch
        import transformers

        transformers.utils.logging.disable_progress_bar()
        self.torch, self.device, self.version = torch, torch.device(device), torch.__version__
        self.kind = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[self.precision]
        encoder = self.encoder = export.pytorch_encoder(exports, "sdpa").encoder.to(self.device, self.kind)

        def forward(ids, bias, shares):
            hidden = encoder(input_ids=ids, attention_mask=bias).last_hidden_state
            return hidden.mean(1) if shares is None else (shares @ hidden)[:, 0]

        self.forward = forward
        if self.mode:
            for name, value in DYNAMO.items():
                if hasattr(torch._dynamo.config, name):  # by version
                    setattr(torch._dynamo.config, name, value)
            if hasattr(torch._inductor.config.triton, GRAPH_WARNING):
                setattr(torch._inductor.config.triton, GRAPH_WARNING, None)
            self.forward = torch.compile(forward, mode=self.mode, dynamic=True)

    def batch(self, messages, width):
        """Ids, what attention adds for the mask, each token's share of the mean, and room for the vectors, all in host memory."""
        torch = self.torch
        ids, lengths = map(torch.from_numpy, arrays(messages, width))
        pin = lambda tensor: tensor.pin_memory() if self.device.type == "cuda" else tensor
        vectors = pin(torch.empty(len(messages), self.encoder.config.hidden_size, dtype=self.kind))
        if bool((lengths == width).all()):
            return pin(ids), None, None, vectors
        kept = torch.arange(width)[None] < lengths[:, None]
        bias = torch.zeros(kept.shape).masked_fill(~kept, float("-inf")).to(self.kind)[:, None, None]
        return pin(ids), pin(bias), pin((kept / lengths[:, None]).to(self.kind)[:, None]), vectors

    def run_pass(self, made):
        torch = self.torch
        with torch.inference_mode():
            for *host, vectors in made:
                if self.mode == GRAPHS:
                    torch.compiler.cudagraph_mark_step_begin()
                inputs = [None if tensor is None else tensor.to(self.device, non_blocking=True) for tensor in host]
                vectors.copy_(self.forward(*inputs), non_blocking=True)
            if self.device.type == "cuda":
                torch.cuda.synchronize()

    def vectors(self, messages, width):
        """Vectors of one batch in f32."""
        made = self.batch(messages, width)
        self.run_pass([made])
        return made[-1].float().numpy()


class OnnxRuntime(Peer):
    """ONNX Runtime with the graph that its own transformer optimiser fused, on the card in f16."""

    label = "ONNX Runtime"

    def __init__(self, precision):
        self.precision = precision
        self.key = f"onnxruntime-{precision}"

    def prepare(self, exports, device):
        """Exports, fuses and converts what is missing; Unavailable where this machine's package lacks the provider or the tools."""
        try:
            import onnxruntime
        except ImportError as error:
            raise Unavailable("onnxruntime is not installed") from error
        self.version = onnxruntime.__version__
        provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            raise Unavailable(f"this onnxruntime has no {provider}")
        graph = self.graph(exports)
        self.session = onnxruntime.InferenceSession(str(graph), providers=[provider])
        if self.session.get_providers()[0] != provider:
            raise Unavailable(f"onnxruntime's {provider} does not load here")

    def graph(self, exports):
        """The fused graph in this peer's precision. That in f16 is made in any case, so that a folder from elsewhere serves a card."""
        fused, half = (exports / f"onnxruntime-{precision}-fused.onnx" for precision in ("fp32", "fp16"))
        try:
            if not fused.exists() and not half.exists():
                warnings.filterwarnings("ignore")  # the tracer's, as in export.py
                export.onnx(exports)
                export.onnxruntime_fp32(exports)
            if not half.exists():
                import onnx
                from onnxruntime.transformers.onnx_model import OnnxModel

                model = OnnxModel(onnx.load(str(fused)))
                model.convert_float_to_float16(keep_io_types=False)
                model.save_model_to_file(str(half))
        except ImportError as error:
            raise Unavailable(f"the graph cannot be exported here: {error}") from error
        except SystemExit as error:  # export.py's way to say that a fusion did not happen
            raise RuntimeError(str(error)) from error
        return half if self.precision == "fp16" else fused

    def batch(self, messages, width):
        ids, lengths = arrays(messages, width)
        return {"input_ids": ids, "attention_mask": (numpy.arange(width)[None] < lengths[:, None]).astype(numpy.int64)}

    def run_pass(self, made):
        for feed in made:
            self.session.run(None, feed)

    def vectors(self, messages, width):
        """Vectors of one batch in f32."""
        return self.session.run(None, self.batch(messages, width))[0].astype(numpy.float32)


def peers(device):
    """Every peer, those that need no compiler first."""
    precisions = ("fp16", "bf16") if device == "cuda" else ("bf16", "fp32")
    made = [PyTorch(precision) for precision in precisions]
    made.append(OnnxRuntime("fp16" if device == "cuda" else "fp32"))
    return made + [PyTorch(precision, mode) for mode in (GRAPHS, AUTOTUNE) for precision in precisions]


def reference(messages, exports, device):
    """The vectors of PyTorch in f32, each message alone, by its ids."""
    import torch

    exact = PyTorch("fp32")
    exact.prepare(exports, device)
    torch.backends.cuda.matmul.allow_tf32 = False
    return {tuple(message): exact.vectors([message], len(message))[0] for message in messages}
