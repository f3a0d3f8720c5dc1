/* The quiet probe: about 2 microseconds of independent integer additions. A core whose other half is busy with a neighbour's work gives
 * clearly fewer additions a second. Compiled by `run` where there is a C compiler; without it, nothing is left out of the record.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <time.h>

#define LOOPS 3000
#define ADD(register_name) __asm__ volatile("" : "+r"(register_name)); register_name += 3;

/* Additions a second, in thousands of millions. */
double quiet_probe(void) {
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int loop = 0; loop < LOOPS; loop++) {
        ADD(a) ADD(b) ADD(c) ADD(d) ADD(e) ADD(f) ADD(g) ADD(h)
    }
    __asm__ volatile("" : : "r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f), "r"(g), "r"(h));
    clock_gettime(CLOCK_MONOTONIC, &end);
    double nanoseconds = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    return 8.0 * LOOPS / nanoseconds;
}
