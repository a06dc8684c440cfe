#pragma once
#include <simdjson.h>

#include <string>

#include "CSimdjson.h"
#include "Grammar.hpp"

// Turns simdjson's error, which mostly has no place, into one of ours with a byte offset. Only for bad documents.
namespace csj {

struct Diagnosis {
    int error;
    size_t offset;
};

// The length of the UTF-8 sequence at `at`, or 0 when it is not one (RFC 3629: no overlong forms, no surrogates).
inline size_t utf8_length(const uint8_t *text, size_t at, size_t length) {
    const uint8_t c = text[at];
    if (c < 0x80) { return 1; }
    const size_t size = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (size == 0 || length - at < size) { return 0; }
    for (size_t i = 1; i < size; i += 1) {
        if ((text[at + i] & 0xC0) != 0x80) { return 0; }
    }
    const uint8_t second = text[at + 1];
    const bool wrong = (c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90)
        || (c == 0xF4 && second > 0x8F);
    return wrong ? 0 : size;
}

inline size_t first_invalid_utf8(const uint8_t *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        const size_t size = utf8_length(text, at, length);
        if (size == 0) { return at; }
        at += size;
    }
    return length;
}

inline bool starts_with_mark(const uint8_t *text, size_t length) {
    return length >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF;
}

// What is wrong when strings or brackets do not come out even: a bad string, a bracket of the wrong kind, an end too
// early, or something behind the root. `fallback` stands when none of these is found.
inline Diagnosis balance(const uint8_t *text, size_t length, Diagnosis fallback) {
    std::string open;
    for (size_t at = 0; at < length; at += 1) {
        const uint8_t c = text[at];
        if (c == '"') {
            const Span span = scan_string(text, at + 1, length);
            if (span.error) { return {span.error, span.end}; }
            at = span.end;
        } else if (c == '{' || c == '[') {
            open.push_back(c == '{' ? '}' : ']');
        } else if (c == '}' || c == ']') {
            if (open.empty() || open.back() != static_cast<char>(c)) { return {CSJ_SYNTAX, at}; }
            open.pop_back();
            const size_t next = skip_space(text, at + 1, length);
            if (open.empty() && next < length) { return {CSJ_TRAILING, next}; }
        }
    }
    return open.empty() ? fallback : Diagnosis{CSJ_TRUNCATED, length};
}

inline Diagnosis diagnose(simdjson::error_code code, const uint8_t *text, size_t length, size_t offset) {
    size_t at = skip_space(text, offset, length);
    if (skip_space(text, 0, length) == length) { return {CSJ_EMPTY, 0}; }
    if (starts_with_mark(text, length)) { return {CSJ_BYTE_ORDER_MARK, 0}; }
    switch (code) {
    case simdjson::EMPTY: return {CSJ_EMPTY, 0};
    case simdjson::MEMALLOC: return {CSJ_OUT_OF_MEMORY, at};
    case simdjson::CAPACITY: return {CSJ_TOO_LARGE, at};
    case simdjson::UTF8_ERROR: return {CSJ_INVALID_UTF8, first_invalid_utf8(text, length)};
    case simdjson::UNCLOSED_STRING:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: return balance(text, length, {CSJ_SYNTAX, at});
    default: return at >= length ? Diagnosis{CSJ_TRUNCATED, length} : Diagnosis{CSJ_SYNTAX, at};
    }
}

}  // namespace csj
