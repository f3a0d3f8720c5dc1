"""PyTorch in f32 and bf16: transformers' BertModel with scaled-dot-product attention, in inference mode, without a mask where no row is padded."""

import export
import torch
from engines.interface import Engine, one_or_many_streams, padded


class Encoder(Engine):
    name = "PyTorch"
    version = torch.__version__.split("+")[0]

    @staticmethod
    def settings(line, threads, purpose):
        return [{"streams": 1}] if purpose == "latency" else one_or_many_streams(threads)

    def prepare(self, exports, threads, line, setting):
        self.threads = max(1, threads // setting["streams"])
        torch.set_num_threads(self.threads)
        kind = torch.bfloat16 if line.precision == "bf16" else torch.float32
        self.encoder = export.pytorch_encoder(exports, "sdpa").to(kind)

    def run(self, messages):
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        ids, mask = padded(messages)
        mask = None if mask.all() else torch.from_numpy(mask)
        with torch.inference_mode():
            return self.encoder(torch.from_numpy(ids), mask).float().numpy()
