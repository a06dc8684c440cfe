#pragma once
#include <stdint.h>

// How often the calling thread has asked the C library for memory since it began: malloc, calloc, realloc and the
// aligned ones. A program that links this counts in all its code, that of libraries included.
uint64_t allocation_count(void);
