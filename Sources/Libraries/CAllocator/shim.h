#pragma once
#include <malloc.h>
#include <sys/mman.h>

// Makes the C library give memory back early: a program that runs for years should not keep what one busy minute took.
// Left alone, glibc takes the largest block that was ever freed for the usual one, and from then on keeps twice as much
// at the end of the heap. To be called first thing in `main`.
static inline void allocator_keep_little(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_TOP_PAD, 64 << 10);
}

// Zeroed memory of whole pages beside the heap, of which only what is written to is taken; NULL where there is none.
// For what grows and then goes all at once: in the heap it would leave holes between all that was made meanwhile.
static inline void *allocator_pages(size_t size) {
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static inline void allocator_give_back(void *pages, size_t size) { munmap(pages, size); }
