"""ONNX Runtime in f32 and in dynamic int8. Its kernels (MLAS) have no switch that caps their instruction set."""

import onnxruntime
from engines.interface import Engine, one_or_many_streams, padded


class Encoder(Engine):
    name = "ONNX Runtime"
    version = onnxruntime.__version__

    @staticmethod
    def settings(line, threads, purpose):
        # The graph that its optimiser fused is faster on short messages, the plain one, fused by the session, on long ones and batches.
        ways = [{"streams": 1}] if purpose == "latency" else one_or_many_streams(threads)
        return [{**way, "graph": graph} for way in ways for graph in ("fused", "plain")]

    def prepare(self, exports, threads, line, setting):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads // setting["streams"])
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Subnormal numbers cost time and change no digit that counts.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        model = str(exports / f"onnxruntime-{line.precision}-{setting['graph']}.onnx")
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(self, messages):
        ids, mask = padded(messages)
        return self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
