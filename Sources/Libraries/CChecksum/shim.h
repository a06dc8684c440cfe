#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// CRC-32C by the processor's own instruction, eight bytes a step. Both functions are for a little-endian machine.
// `crc` is the inverted state that goes from one step to the next.

#if defined(__x86_64__)

static inline bool cchecksum_is_supported(void) {
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static inline uint32_t
cchecksum_update(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    uint64_t state = crc;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        state = __builtin_ia32_crc32di(state, word);
    }
    for (; count > 0; count--, at++) state = __builtin_ia32_crc32qi((uint32_t)state, *at);
    return (uint32_t)state;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

static inline bool cchecksum_is_supported(void) {
    return (getauxval(16 /* AT_HWCAP */) & (1UL << 7 /* HWCAP_CRC32 */)) != 0;
}

__attribute__((target("crc"))) static inline uint32_t
cchecksum_update(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; count > 0; count--, at++) crc = __builtin_arm_crc32cb(crc, *at);
    return crc;
}

#else

static inline bool cchecksum_is_supported(void) { return false; }

static inline uint32_t cchecksum_update(uint32_t crc, const void *bytes, size_t count) {
    (void)bytes, (void)count;
    return crc;
}

#endif
