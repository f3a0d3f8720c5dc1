"""The engines that are measured, one line each. To add one is a file beside this one and a line in `LINES`."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One line of the record: an engine in one precision, with its instruction set capped or not."""

    key: str
    label: str
    precision: str
    module: str
    cap: str = ""
    environment: dict = field(default_factory=dict, hash=False)
    batches: bool = True
    options: dict = field(default_factory=dict, hash=False)


OPENVINO = "engines.openvino_encoder"
ONNXRUNTIME = "engines.onnxruntime_encoder"
CTRANSLATE2 = "engines.ctranslate2_encoder"
PYTORCH = "engines.pytorch_encoder"

LINES = [
    Line("openvino-int8", "OpenVINO int8 (NNCF static)", "int8", OPENVINO),
    Line("openvino-int8-static", "OpenVINO int8, a model for each length", "int8", OPENVINO, batches=False, options={"static": True}),
    Line("openvino-bf16", "OpenVINO bf16", "bf16", OPENVINO),
    Line("openvino-bf16-static", "OpenVINO bf16, a model for each length", "bf16", OPENVINO, batches=False, options={"static": True}),
    Line("ctranslate2-int8", "CTranslate2 int8", "int8", CTRANSLATE2),
    Line("ctranslate2-float32", "CTranslate2 fp32", "fp32", CTRANSLATE2),
    Line("onnxruntime-int8", "ONNX Runtime int8 (dynamic)", "int8", ONNXRUNTIME),
    Line("onnxruntime-fp32", "ONNX Runtime fp32", "fp32", ONNXRUNTIME),
    Line("pytorch-bf16", "PyTorch bf16", "bf16", PYTORCH),
    Line("pytorch-fp32", "PyTorch fp32", "fp32", PYTORCH),
    Line("openvino-int8-vnni", "OpenVINO int8 (NNCF static)", "int8", OPENVINO, "avx512_vnni", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}),
    Line("openvino-int8-avx2", "OpenVINO int8 (NNCF static)", "int8", OPENVINO, "avx2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    Line("ctranslate2-int8-avx2", "CTranslate2 int8", "int8", CTRANSLATE2, "avx2", {"CT2_FORCE_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}),
]

# hearken's own lines: the environment that caps its kernels. `engines/hearken_command.py` runs them.
HEARKEN_LINES = [
    Line("hearken", "hearken", "", "engines.hearken_command"),
    Line("hearken-avx512", "hearken", "", "engines.hearken_command", "avx512", {"HEARKEN_KERNELS": "avx512"}),
    Line("hearken-avx2", "hearken", "", "engines.hearken_command", "avx2", {"HEARKEN_KERNELS": "avx2"}),
]
