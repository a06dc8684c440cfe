#pragma once
#include <cstddef>
#include <cstdint>

#include "CSimdjson.h"

// The grammar of RFC 8259's scalars, over a text that is bounded by `length`.
namespace csj {

struct Span {
    int error;
    size_t end;  // where the scalar ends, or where it is wrong
    bool escaped;
};

inline bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
inline bool ends_scalar(uint8_t c) { return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':'; }

inline size_t skip_space(const uint8_t *text, size_t at, size_t length) {
    while (at < length && is_space(text[at])) { at += 1; }
    return at;
}

inline Span scan_number(const uint8_t *text, size_t start, size_t length) {
    size_t at = start;
    const auto digits = [&] {
        const size_t first = at;
        while (at < length && is_digit(text[at])) { at += 1; }
        return at > first;
    };
    // At the end of the text more could have followed: the document is cut, not wrong.
    const auto wrong = [&] { return Span{at == length ? CSJ_TRUNCATED : CSJ_BAD_NUMBER, at, false}; };
    if (at < length && text[at] == '-') {
        at += 1;
    } else if (at < length && !is_digit(text[at])) {
        return {CSJ_SYNTAX, at, false};
    }
    if (at < length && text[at] == '0') {
        at += 1;
    } else if (!digits()) {
        return wrong();
    }
    if (at < length && text[at] == '.') {
        at += 1;
        if (!digits()) { return wrong(); }
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at += 1;
        if (at < length && (text[at] == '+' || text[at] == '-')) { at += 1; }
        if (!digits()) { return wrong(); }
    }
    if (at < length && !ends_scalar(text[at])) { return {CSJ_BAD_NUMBER, at, false}; }
    return {CSJ_OK, at, false};
}

// The four hex digits at `at`, or -1.
inline int32_t hex4(const uint8_t *text, size_t at, size_t length) {
    if (length - at < 4) { return -1; }
    int32_t value = 0;
    for (size_t i = at; i < at + 4; i += 1) {
        const uint8_t c = text[i];
        const uint8_t lower = c | 0x20;
        if (is_digit(c)) {
            value = value * 16 + (c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            value = value * 16 + (lower - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

// The length of the escape whose backslash is at `at`, or 0. Half a surrogate pair is no escape: it has no UTF-8.
inline size_t escape_length(const uint8_t *text, size_t at, size_t length) {
    if (at + 1 >= length) { return 0; }
    switch (text[at + 1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    const int32_t unit = hex4(text, at + 2, length);
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) { return 0; }
    if (unit < 0xD800 || unit > 0xDBFF) { return 6; }
    if (at + 8 >= length || text[at + 6] != '\\' || text[at + 7] != 'u') { return 0; }
    const int32_t low = hex4(text, at + 8, length);
    return low >= 0xDC00 && low <= 0xDFFF ? 12 : 0;
}

// From behind the opening quote to the closing one.
inline Span scan_string(const uint8_t *text, size_t start, size_t length) {
    bool escaped = false;
    size_t at = start;
    while (at < length) {
        const uint8_t c = text[at];
        if (c == '"') { return {CSJ_OK, at, escaped}; }
        if (c < 0x20) { return {CSJ_CONTROL_CHARACTER, at, false}; }
        if (c == '\\') {
            const size_t size = escape_length(text, at, length);
            if (size == 0) { return {CSJ_BAD_ESCAPE, at, false}; }
            escaped = true;
            at += size;
        } else {
            at += 1;
        }
    }
    return {CSJ_TRUNCATED, length, false};
}

}  // namespace csj
