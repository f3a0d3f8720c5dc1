// Compares each kernel, run on the processor, with plain loops in double precision.
#include "kernels.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

static std::mt19937 generator(1);
static double random_value() { return std::normal_distribution<>()(generator); }
static size_t random_below(size_t limit) { return generator() % limit; }

// An array as a kernel gets it: on a multiple of 16 bytes, and with bytes behind it that nobody may write. It starts out as NaN.
template <typename T> class Array {
public:
    explicit Array(size_t size) : bytes(size * sizeof(T)) {
        data = static_cast<T *>(aligned_alloc(GUARD, (bytes + 2 * GUARD) / GUARD * GUARD));
        std::fill_n(raw(), bytes, 0xff);
        std::fill_n(raw() + bytes, GUARD, MARK);
    }
    // What `value` gives for each index.
    template <typename Value> Array(size_t size, Value value) : Array(size) {
        for (size_t i = 0; i < size; i++) data[i] = T(value(i));
    }
    Array(const Array &) = delete;
    ~Array() { free(data); }

    static Array random(size_t size) {
        return Array(size, [](size_t) { return float(random_value()); });
    }
    Array copy() const {
        return Array(bytes / sizeof(T), [&](size_t i) { return data[i]; });
    }

    double operator[](size_t i) const { return double(float(data[i])); }
    bool intact() const { return std::all_of(raw() + bytes, raw() + bytes + GUARD, [](uint8_t byte) { return byte == MARK; }); }
    uint8_t *raw() const { return reinterpret_cast<uint8_t *>(data); }

    T *data;

private:
    static constexpr size_t GUARD = 1 << 15;
    static constexpr uint8_t MARK = 0xa5;
    size_t bytes;
};

using Floats = Array<float>;
using Words = Array<uint32_t>;

// One kernel's comparisons.
class Check {
public:
    Check(std::string kernel, bool bf16) : name(kernel + (bf16 ? "_bf16" : "_f16")), allowed(bf16 ? 2e-2 : 2e-3) {}

    template <typename... Types> void run(unsigned x, unsigned y, Types... arguments) {
        void *parameters[] = {&arguments...};
        launch(dim3(x, y), dim3(WARPS * 32), TABLE.at(name)(parameters).run);
    }
    // Errors are absolute below one and relative above.
    void same(double got, double want) {
        const double error = std::abs(got - want) / std::max(1.0, std::abs(want));
        if (!(error <= allowed)) failed = true;
        if (!(error <= largest) && !std::isnan(largest)) largest = error;
    }
    template <typename T> void intact(const Array<T> &array) {
        if (array.intact()) return;
        printf("%s: written behind the end\n", name.c_str());
        failed = true;
    }
    bool report() const {
        printf("%-16s largest error %.1e of %.0e%s\n", name.c_str(), largest, allowed, failed ? ": FAILED" : "");
        return !failed;
    }

private:
    std::string name;
    double allowed, largest = 0;
    bool failed = false;
};

template <typename T> static Check check(const char *kernel) { return Check(kernel, std::is_same_v<T, __nv_bfloat16>); }

static unsigned blocks(size_t items, size_t each) { return (items + each - 1) / each; }

static std::vector<double> layer_norm(std::vector<double> x, const Floats &gamma, const Floats &beta, double epsilon) {
    double mean = 0, variance = 0;
    for (double v : x) mean += v / x.size();
    for (double v : x) variance += (v - mean) * (v - mean) / x.size();
    for (size_t i = 0; i < x.size(); i++) x[i] = (x[i] - mean) / std::sqrt(variance + epsilon) * gamma[i] + beta[i];
    return x;
}

// Both kernels that normalise, for every shape; `prepare` makes the inputs, launches, and returns what the sums before the norm are.
template <typename T, typename Prepare> static bool norms(const char *kernel, Prepare prepare) {
    Check it = check<T>(kernel);
    for (int hidden : {384, 256, 768, 1024, 32}) {
        for (int tokens : {1, 3, 4, 37}) {
            const auto gamma = Floats::random(hidden), beta = Floats::random(hidden);
            Array<T> out(tokens * hidden);
            const float epsilon = 1e-5f;
            const std::vector<double> sums = prepare(it, tokens, hidden, gamma.data, beta.data, out.data, epsilon);
            for (int token = 0; token < tokens; token++) {
                const auto row = sums.begin() + token * hidden;
                const auto want = layer_norm({row, row + hidden}, gamma, beta, epsilon);
                for (int i = 0; i < hidden; i++) it.same(out[token * hidden + i], want[i]);
            }
            it.intact(out);
        }
    }
    return it.report();
}

template <typename T> static bool embed_norm_works() {
    return norms<T>("embed_norm", [](Check &it, int tokens, int hidden, float *gamma, float *beta, T *out, float epsilon) {
        const int sizes[] = {50, 40, 2};
        const auto table = [&](int i) { return Array<T>::random(sizes[i] * hidden); };
        const auto index = [&](int i) { return Words(tokens, [&](size_t) { return random_below(sizes[i]); }); };
        const Array<T> tables[] = {table(0), table(1), table(2)};
        const Words indices[] = {index(0), index(1), index(2)};
        it.run(blocks(tokens, WARPS), 1, indices[0].data, indices[1].data, indices[2].data, tables[0].data, tables[1].data,
               tables[2].data, gamma, beta, out, tokens, hidden, epsilon);
        std::vector<double> sums(tokens * hidden);
        for (int i = 0; i < tokens * hidden; i++)
            for (int t = 0; t < 3; t++) sums[i] += tables[t][indices[t].data[i / hidden] * hidden + i % hidden];
        return sums;
    });
}

template <typename T> static bool add_norm_works() {
    return norms<T>("add_norm", [](Check &it, int tokens, int hidden, float *gamma, float *beta, T *out, float epsilon) {
        const auto product = Array<T>::random(tokens * hidden), residual = Array<T>::random(tokens * hidden);
        const auto bias = Floats::random(hidden);
        it.run(blocks(tokens, WARPS), 1, product.data, bias.data, residual.data, gamma, beta, out, tokens, hidden, epsilon);
        std::vector<double> sums(tokens * hidden);
        for (int i = 0; i < tokens * hidden; i++) sums[i] = product[i] + bias[i % hidden] + residual[i];
        return sums;
    });
}

template <typename T> static bool bias_gelu_works() {
    Check it = check<T>("bias_gelu");
    for (int width : {1536, 64, 8}) {
        for (int rows : {1, 3, 37}) {
            const int values = rows * width;
            const auto bias = Floats::random(width);
            const auto x = Array<T>::random(values), out = x.copy();
            it.run(blocks(values / 8, WARPS * 32), 1, out.data, bias.data, values, width);
            for (int i = 0; i < values; i++) {
                const double v = x[i] + bias[i % width];
                it.same(out[i], v / 2 * (1 + std::erf(v / std::sqrt(2.0))));
            }
            it.intact(out);
        }
    }
    return it.report();
}

template <typename T> static bool pool_works() {
    Check it = check<T>("pool");
    const std::vector<uint32_t> starts = {0, 3, 3, 4, 37, 90};  // the second row is empty
    const int tokens = starts.back(), rows = starts.size() - 1;
    const Words bounds(starts.size(), [&](size_t i) { return starts[i]; });
    for (int hidden : {384, 32, 264, 1024}) {
        for (int first_only : {0, 1}) {
            const auto x = Array<T>::random(tokens * hidden);
            Floats out((tokens + rows) * hidden);
            it.run(blocks(tokens + rows, WARPS), 1, x.data, bounds.data, out.data, tokens, rows, hidden, first_only);
            for (int i = 0; i < tokens * hidden; i++) it.same(out[i], x[i]);
            for (int i = 0; i < rows * hidden; i++) {
                const uint32_t start = starts[i / hidden], past = starts[i / hidden + 1];
                const uint32_t end = first_only ? std::min(start + 1, past) : past;
                double sum = 0;
                for (uint32_t token = start; token < end; token++) sum += x[token * hidden + i % hidden];
                it.same(out[tokens * hidden + i], end > start ? sum / (end - start) : 0);
            }
            it.intact(out);
        }
    }
    return it.report();
}

template <typename T> static bool attention_works() {
    Check it = check<T>("attention");
    const std::vector<uint32_t> rows = {100, 1, 16, 512, 2, 31, 7, 17, 15, 32, 33};
    const uint32_t loose = 3;  // tokens in no row
    std::vector<Tile> tiles;
    uint32_t tokens = 0;
    for (uint32_t keys : rows) {
        for (uint32_t query = 0; query < keys; query += TILE) {
            tiles.push_back({tokens, keys, tokens + query, std::min<uint32_t>(TILE, keys - query)});
        }
        tokens += keys;
        if (keys % 2) tiles.push_back({0, 0, 0, 0});
    }
    tiles.push_back({0, 0, tokens, loose});
    tiles.push_back({0, 0, 0, 0});
    for (int heads : {1, 2, 12, 16}) {
        const int hidden = heads * HEAD, stride = 3 * hidden;
        const auto bias = Floats::random(stride);
        // Of tokens in no row nothing may be read.
        const Array<T> qkv((tokens + loose) * stride, [&](size_t i) { return i < tokens * stride ? float(random_value()) : NAN; });
        Array<T> out((tokens + loose) * hidden);
        it.run(tiles.size(), blocks(heads, WARPS), qkv.data, bias.data, tiles.data(), out.data, heads, float(M_LOG2E / std::sqrt(HEAD)));

        std::vector<double> full((tokens + loose) * stride);  // with the bias of queries and keys
        for (size_t i = 0; i < full.size(); i++) full[i] = qkv[i] + bias[i % stride];
        uint32_t first = 0;
        std::vector<double> weights;
        for (uint32_t keys : rows) {
            for (uint32_t query = first; query < first + keys; query++) {
                for (int head = 0; head < heads; head++) {
                    const double *q = &full[query * stride + head * HEAD], *k = &full[first * stride + hidden + head * HEAD];
                    double sum = 0, mixed[HEAD] = {};
                    weights.assign(keys, 0);
                    for (uint32_t key = 0; key < keys; key++) {
                        for (int i = 0; i < HEAD; i++) weights[key] += q[i] * k[key * stride + i];
                        sum += weights[key] = std::exp(weights[key] / std::sqrt(HEAD));
                    }
                    for (uint32_t key = 0; key < keys; key++)
                        for (int i = 0; i < HEAD; i++) mixed[i] += weights[key] / sum * k[key * stride + hidden + i];
                    for (int i = 0; i < HEAD; i++) it.same(out[query * hidden + head * HEAD + i], mixed[i]);
                }
            }
            first += keys;
        }
        for (uint32_t i = 0; i < loose * hidden; i++) it.same(out[tokens * hidden + i], bias[2 * hidden + i % hidden]);
        it.intact(out);
    }
    return it.report();
}

template <typename T> static bool all_work() {
    return embed_norm_works<T>() & add_norm_works<T>() & attention_works<T>() & bias_gelu_works<T>() & pool_works<T>();
}

int main() { return all_work<__half>() & all_work<__nv_bfloat16>() ? 0 : 1; }
