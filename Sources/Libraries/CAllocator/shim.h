#pragma once
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

// Makes the C library give memory back early: a program that runs for years should not keep what one busy minute took.
// Left alone, glibc takes the largest block that was ever freed for the usual one, and from then on keeps twice as much
// at the end of the heap. To be called first thing in `main`.
static inline void allocator_keep_little(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_TOP_PAD, 64 << 10);
}

// Gives the system what the heap has free. glibc keeps up to seven freed blocks of each small size for the thread that
// freed them, and takes them for used: one at the end of the heap, left there by work that took much, would keep all that
// is free before it, and what comes later would spread over that. So first those blocks change places with others.
static inline void allocator_trim(void) {
    enum { kept = 7, smallest = 24, largest = 1032, step = 16 };
    void *volatile before[kept], *volatile after[kept];
    for (size_t size = smallest; size <= largest; size += step) {
        for (int i = 0; i < kept; i++) before[i] = malloc(size);
        for (int i = 0; i < kept; i++) after[i] = malloc(size);
        for (int i = 0; i < kept; i++) free(after[i]);
        for (int i = 0; i < kept; i++) free(before[i]);
    }
    malloc_trim(0);
}

// Zeroed memory of whole pages beside the heap, of which only what is written to is taken; NULL where there is none.
// For what grows and then goes all at once: in the heap it would leave holes between all that was made meanwhile.
static inline void *allocator_pages(size_t size) {
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static inline void allocator_give_back(void *pages, size_t size) { munmap(pages, size); }
