#pragma once
#include <stddef.h>
#include <zstd.h>

// Both return −1 where zstd reports an error: its error codes are macros that Swift does not import.
static inline ptrdiff_t czstd_compress(ZSTD_CCtx *context, void *to, size_t room, const void *from, size_t count) {
    const size_t result = ZSTD_compress2(context, to, room, from, count);
    return ZSTD_isError(result) ? -1 : (ptrdiff_t)result;
}

static inline ptrdiff_t czstd_decompress(ZSTD_DCtx *context, void *to, size_t room, const void *from, size_t count) {
    const size_t result = ZSTD_decompressDCtx(context, to, room, from, count);
    return ZSTD_isError(result) ? -1 : (ptrdiff_t)result;
}
