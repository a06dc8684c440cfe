#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One TOML text as a flat list of nodes: a container's children follow it, each with its whole subtree, in the order
// in which they stand in the text. Lines and columns count from 1, columns in characters.

enum {
    CTOML_TABLE = 1,
    CTOML_ARRAY = 2,
    CTOML_STRING = 3,
    CTOML_INTEGER = 4,
    CTOML_FLOAT = 5,
    CTOML_BOOLEAN = 6,
    CTOML_LOCAL_DATE = 7,
    CTOML_LOCAL_TIME = 8,
    CTOML_LOCAL_DATE_TIME = 9,
    CTOML_OFFSET_DATE_TIME = 10,
};

// Text is given by its place in the document's own text store.
typedef struct {
    size_t start;
    size_t length;
} ctoml_text;

typedef struct {
    uint8_t kind;
    uint8_t boolean;
    uint32_t line;
    uint32_t column;
    uint32_t key_line;  // 0: no key (the root, or an element)
    uint32_t key_column;
    uint32_t count;  // direct children
    int64_t integer;
    double number;
    ctoml_text key;
    ctoml_text text;  // a string's value; a float as it is written; a date or time in RFC 3339 form
} ctoml_node;

typedef struct {
    const ctoml_node *nodes;
    size_t count;
    const char *text;
    // On failure there are no nodes, and this says why.
    const char *reason;
    uint32_t line;
    uint32_t column;
} ctoml_document;

// NULL only when out of memory. Nothing of `text` is kept.
ctoml_document *ctoml_parse(const char *text, size_t length, uint32_t max_key_depth);
void ctoml_free(ctoml_document *document);

#ifdef __cplusplus
}
#endif
