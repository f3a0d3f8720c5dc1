// Our kernels, compiled for the processor, by their names.
#pragma once
#include "emulate.h"

#include "kernels.cu"

#include <map>
#include <string_view>

// Makes a call of a kernel from cuLaunchKernel's `kernelParams`.
using Bind = Call (*)(void **parameters);

// Threads that a block of any kernel has at most, by its __launch_bounds__.
constexpr unsigned MOST_THREADS = WARPS * 32;

#define ONE(name) {#name, [](void **parameters) { return bind(name, parameters); }}
#define BOTH(name) ONE(name##_f16), ONE(name##_bf16)
inline const std::map<std::string_view, Bind> TABLE = {BOTH(embed_norm), BOTH(add_norm), BOTH(attention), BOTH(bias_gelu), BOTH(pool)};
#undef BOTH
#undef ONE
