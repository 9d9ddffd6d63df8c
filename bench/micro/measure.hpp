#pragma once
/// \file
/// How the programs of this folder measure: nanoseconds and allocations of one call. Included once by each of them, for it
/// replaces the allocation functions.
///
/// Each case runs for `seconds_per_case` in batches; the fastest batch counts, because on a shared machine everything slower is
/// somebody else's time.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_per_case = 0.3;

template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

/// Prints what one call of `operation` costs; `bytes` (0: none) adds a throughput. Batches last about 50 µs.
template <class Operation>
void measure(const char* name, std::size_t bytes, Operation operation) {
    const auto time_of = [&](int count) {
        const auto begin = clock_type::now();
        for (int i = 0; i < count; ++i) operation();
        return std::chrono::duration<double, std::nano>(clock_type::now() - begin).count();
    };
    int batch = 1;
    while (batch < 1'000'000 && time_of(batch) < 50'000) batch *= 2;
    const auto end = clock_type::now() + std::chrono::duration<double>(seconds_per_case);
    double fastest = std::numeric_limits<double>::max();
    std::size_t allocated = 0;
    do {
        const std::size_t before = allocations;
        const double took = time_of(batch);
        allocated = allocations - before;
        fastest = std::min(fastest, took / batch);
    } while (clock_type::now() < end);
    std::printf("%-34s %12.1f ns %8.2f allocations", name, fastest, static_cast<double>(allocated) / batch);
    if (bytes > 0) std::printf(" %10.0f MB/s", static_cast<double>(bytes) * 1000.0 / fastest);
    std::printf("\n");
}

}  // namespace
