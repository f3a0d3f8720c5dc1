//! With the feature `cuda`, compiles the kernels in `cuda/` to PTX.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=cuda");
    println!("cargo::rerun-if-env-changed=NVCC");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    let nvcc = env::var_os("NVCC").unwrap_or_else(|| "nvcc".into());
    let out = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("kernels.ptx");
    // The oldest that has the tensor cores' product of bf16.
    let arguments = ["-ptx", "-std=c++17", "-O3", "-arch=compute_80", "cuda/kernels.cu", "-o"];
    match Command::new(&nvcc).args(arguments).arg(out).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => failed(&format!("{} failed on kernels/cuda/kernels.cu: {status}", nvcc.display())),
        Err(error) => failed(&format!("{} cannot be run: {error}; scripts/build-cuda fetches one", nvcc.display())),
    }
}

fn failed(why: &str) -> ExitCode {
    println!("cargo::error={why}");
    ExitCode::FAILURE
}
