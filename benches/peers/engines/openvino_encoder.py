"""OpenVINO in bf16 and in int8. One model of free shape; with the option `static`, one compiled model for each length, a message at a time."""

import threading

import numpy
import openvino
from engines.interface import Engine, one_or_many_streams, padded


class Encoder(Engine):
    name = "OpenVINO"
    version = openvino.__version__.split("-")[0]

    @staticmethod
    def settings(line, threads, purpose):
        # What is not quantised of the int8 model may run in bf16 or in f32: both are tried.
        rest = ["bf16", "f32"] if line.precision == "int8" else [line.precision]
        ways = [{"streams": 1}] if purpose == "latency" else one_or_many_streams(threads)
        return [{**way, "rest": precision} for way in ways for precision in rest]

    def prepare(self, exports, threads, line, setting):
        self.core = openvino.Core()
        self.file = exports / ("openvino-int8.xml" if line.precision == "int8" else "openvino-fp32.xml")
        streams = setting["streams"]
        self.properties = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": setting["rest"],
        }
        self.static = {} if line.options.get("static") else None
        self.compiled = None if line.options.get("static") else self.core.compile_model(str(self.file), "CPU", self.properties)
        self.requests = threading.local()

    def request(self, length):
        """This thread's inference request; for static shapes, the one of this length."""
        if self.static is None:
            if not hasattr(self.requests, "one"):
                self.requests.one = self.compiled.create_infer_request()
            return self.requests.one
        if length not in self.static:
            model = self.core.read_model(str(self.file))
            model.reshape({name: [1, length] for name in ("input_ids", "attention_mask")})
            self.static[length] = self.core.compile_model(model, "CPU", self.properties).create_infer_request()
        return self.static[length]

    def run(self, messages):
        ids, mask = padded(messages)
        return numpy.array(self.request(ids.shape[1]).infer([ids, mask], share_inputs=True, share_outputs=True)[0])
