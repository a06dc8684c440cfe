#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One JSON document as a flat tape of tokens in document order. The whole document is checked before a tape exists.

enum {
    CSJ_OBJECT = 1,
    CSJ_ARRAY = 2,
    CSJ_STRING = 3,
    CSJ_NUMBER = 4,
    CSJ_TRUE = 5,
    CSJ_FALSE = 6,
    CSJ_NULL = 7,
    CSJ_KEY = 8,  // the next token is its value
};

enum {
    CSJ_ESCAPED = 1,  // a string or key that holds at least one escape
};

enum {
    CSJ_OK = 0,
    CSJ_EMPTY,
    CSJ_TOO_LARGE,
    CSJ_TOO_DEEP,
    CSJ_TOO_MANY_TOKENS,
    CSJ_NUMBER_TOO_LONG,
    CSJ_INVALID_UTF8,
    CSJ_BYTE_ORDER_MARK,
    CSJ_TRUNCATED,
    CSJ_TRAILING,
    CSJ_BAD_NUMBER,
    CSJ_BAD_ESCAPE,
    CSJ_CONTROL_CHARACTER,
    CSJ_SYNTAX,
    CSJ_OUT_OF_MEMORY,
};

typedef struct {
    uint8_t kind;
    uint8_t flags;
    uint16_t depth;   // the root is at 0
    uint32_t start;   // byte offset in the text; of a string or key: after its opening quote
    uint32_t length;  // bytes; of a string or key: without quotes
    uint32_t next;    // index of the token after this subtree; of a key: after its value's subtree
} csj_token;

typedef struct {
    const csj_token *tokens;
    const uint8_t *text;  // the parser's own copy of the document
    uint32_t count;
    uint32_t length;
    uint32_t generation;  // counts scans, and ends of scans: a value of another generation is stale
} csj_tape;

typedef struct {
    uint32_t max_bytes;
    uint32_t max_depth;
    uint32_t max_tokens;
    uint32_t max_number_length;
} csj_limits;

typedef struct csj_parser csj_parser;

// NULL when out of memory. A parser serves one thread at a time and keeps its buffers between scans.
csj_parser *csj_create(csj_limits limits);
void csj_destroy(csj_parser *parser);

// CSJ_OK and a tape, or an error and, in *offset, the byte where it was noticed. The tape is valid until the next scan.
int csj_scan(csj_parser *parser, const void *bytes, size_t length, size_t *offset);

// The tape's address does not change while the parser lives.
const csj_tape *csj_tape_of(const csj_parser *parser);

// Makes every value handed out so far stale.
void csj_end(csj_parser *parser);

#ifdef __cplusplus
}
#endif
