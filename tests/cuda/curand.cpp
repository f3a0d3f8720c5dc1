// Stands in for libcurand.so.10: a generator can be made, as candle does for every device, and cannot be used.
extern "C" {
int curandCreateGenerator(void **generator, int) {
    static char only;
    *generator = &only;
    return 0;
}
int curandDestroyGenerator(void *) { return 0; }
int curandSetStream(void *, void *) { return 0; }
int curandSetPseudoRandomGeneratorSeed(void *, unsigned long long) { return 0; }
int curandSetGeneratorOffset(void *, unsigned long long) { return 0; }
}
