#pragma once
#include <malloc.h>

// Makes the C library give memory back early: a program that runs for years should not keep what one busy minute took.
// Left alone, glibc takes the largest block that was ever freed for the usual one, and from then on keeps twice as much
// at the end of the heap. To be called first thing in `main`.
static inline void allocator_keep_little(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_TOP_PAD, 64 << 10);
}
