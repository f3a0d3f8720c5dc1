"""CTranslate2 in f32 and int8. Its encoder gives the vector of every token; their mean is taken here, with numpy."""

import ctranslate2
import numpy
from engines.interface import Engine, one_or_many_streams


class Encoder(Engine):
    name = "CTranslate2"
    version = ctranslate2.__version__

    @staticmethod
    def settings(line, threads, purpose):
        return [{"streams": 1}] if purpose == "latency" else one_or_many_streams(threads)

    def prepare(self, exports, threads, line, setting):
        streams = setting["streams"]
        quantization = "int8" if line.precision == "int8" else "float32"
        self.encoder = ctranslate2.Encoder(
            str(exports / f"ctranslate2-{quantization}"), device="cpu", compute_type=quantization,
            inter_threads=streams, intra_threads=max(1, threads // streams),
        )

    def run(self, messages):
        hidden = numpy.array(self.encoder.forward_batch(messages).last_hidden_state)
        vectors = numpy.empty((len(messages), hidden.shape[2]), dtype=numpy.float32)
        for row, message in enumerate(messages):
            hidden[row, : len(message)].mean(0, out=vectors[row])
        return vectors
