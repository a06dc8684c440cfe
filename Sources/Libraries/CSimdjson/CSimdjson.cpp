// simdjson finds the structure and checks the grammar between values; this file writes each value down as a token and
// checks what On-Demand leaves to its caller: numbers, escapes, atoms, and what stands after the root.
// Debian's library is built with threads: the inline half of the header must agree with it.
#ifndef SIMDJSON_THREADS_ENABLED
#define SIMDJSON_THREADS_ENABLED 1
#endif
#include <simdjson.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "CSimdjson.h"
#include "Diagnosis.hpp"
#include "Grammar.hpp"

namespace od = simdjson::ondemand;
using simdjson::error_code;

struct csj_parser {
    csj_tape tape{};  // first: its address is the parser's
    csj_limits limits{};
    od::parser parser{};
    uint8_t *buffer = nullptr;
    size_t buffer_capacity = 0;
    csj_token *tokens = nullptr;
    uint32_t token_capacity = 0;

    ~csj_parser() {
        std::free(buffer);
        std::free(tokens);
    }
};

namespace {

// One walk over one document. Each function returns CSJ_OK or the error, whose place is then in `failed_at`.
class Walk {
public:
    Walk(csj_parser &owner, size_t length) : owner(owner), text(owner.buffer), length(length) {}

    size_t failed_at = 0;

    int root(od::document &document) {
        const size_t start = csj::skip_space(text, 0, length);
        if (csj::starts_with_mark(text, length)) { return fail(CSJ_BYTE_ORDER_MARK, 0); }
        size_t end = start;
        int error;
        if (start < length && text[start] == '{') {
            od::object object;
            if (const auto code = document.get_object().get(object)) { return library(code, start); }
            error = members(object, start, 0, end);
        } else if (start < length && text[start] == '[') {
            od::array array;
            if (const auto code = document.get_array().get(array)) { return library(code, start); }
            error = elements(array, start, 0, end);
        } else {
            error = scalar(start, 0, end);
        }
        if (error) { return error; }
        end = csj::skip_space(text, end, length);
        return end == length ? CSJ_OK : fail(CSJ_TRAILING, end);
    }

private:
    csj_parser &owner;
    const uint8_t *text;
    size_t length;

    int fail(int error, size_t offset) {
        failed_at = offset;
        return error;
    }

    // simdjson says what is wrong but seldom where: the slow look happens only once a document is known to be bad.
    int library(error_code code, size_t offset) {
        const auto found = csj::diagnose(code, text, length, offset);
        return fail(found.error, found.offset);
    }

    size_t offset_of(const char *pointer) const {
        return static_cast<size_t>(reinterpret_cast<const uint8_t *>(pointer) - text);
    }

    int append(uint8_t kind, uint8_t flags, uint16_t depth, size_t start, size_t size) {
        csj_tape &tape = owner.tape;
        if (tape.count == owner.token_capacity) {
            if (tape.count >= owner.limits.max_tokens) { return fail(CSJ_TOO_MANY_TOKENS, start); }
            uint64_t wanted = owner.token_capacity ? uint64_t{owner.token_capacity} * 2 : 64;
            if (wanted > owner.limits.max_tokens) { wanted = owner.limits.max_tokens; }
            void *grown = std::realloc(owner.tokens, static_cast<size_t>(wanted) * sizeof(csj_token));
            if (!grown) { return fail(CSJ_OUT_OF_MEMORY, start); }
            owner.tokens = static_cast<csj_token *>(grown);
            owner.token_capacity = static_cast<uint32_t>(wanted);
        }
        owner.tokens[tape.count] = {
            kind, flags, depth, static_cast<uint32_t>(start), static_cast<uint32_t>(size), tape.count + 1};
        tape.count += 1;
        return CSJ_OK;
    }

    int close(uint32_t index, char bracket, size_t at, size_t &end) {
        at = csj::skip_space(text, at, length);
        if (at >= length) { return fail(CSJ_TRUNCATED, length); }
        if (text[at] != static_cast<uint8_t>(bracket)) { return fail(CSJ_SYNTAX, at); }
        end = at + 1;
        owner.tokens[index].length = static_cast<uint32_t>(end - owner.tokens[index].start);
        owner.tokens[index].next = owner.tape.count;
        return CSJ_OK;
    }

    // On-Demand looks at a comma or colon only where it steps; it steps over a scalar's neighbours unseen. So each
    // mark is looked at here, and the place of each value is reckoned from the one before.
    int mark(char wanted, size_t &at) {
        at = csj::skip_space(text, at, length);
        if (at < length && text[at] != static_cast<uint8_t>(wanted)) { return fail(CSJ_SYNTAX, at); }
        at = csj::skip_space(text, at + 1, length);
        return at < length ? CSJ_OK : fail(CSJ_TRUNCATED, length);
    }

    int separator(bool between, size_t &at) {
        if (between) { return mark(',', at); }
        at = csj::skip_space(text, at, length);
        return at < length ? CSJ_OK : fail(CSJ_TRUNCATED, length);
    }

    int members(od::object &object, size_t start, uint16_t depth, size_t &end) {
        if (depth >= owner.limits.max_depth) { return fail(CSJ_TOO_DEEP, start); }
        const uint32_t index = owner.tape.count;
        if (const int error = append(CSJ_OBJECT, 0, depth, start, 0)) { return error; }
        size_t at = start + 1;
        for (auto result : object) {
            const uint32_t key = owner.tape.count;
            if (const int error = separator(key > index + 1, at)) { return error; }
            if (text[at] != '"') { return fail(CSJ_SYNTAX, at); }
            if (const int error = quoted(CSJ_KEY, at, static_cast<uint16_t>(depth + 1), at)) { return error; }
            if (const int error = mark(':', at)) { return error; }
            od::field field;
            if (const auto code = std::move(result).get(field)) { return library(code, at); }
            od::value value = field.value();
            if (const int error = any(value, static_cast<uint16_t>(depth + 1), at)) { return error; }
            owner.tokens[key].next = owner.tape.count;
        }
        return close(index, '}', at, end);
    }

    int elements(od::array &array, size_t start, uint16_t depth, size_t &end) {
        if (depth >= owner.limits.max_depth) { return fail(CSJ_TOO_DEEP, start); }
        const uint32_t index = owner.tape.count;
        if (const int error = append(CSJ_ARRAY, 0, depth, start, 0)) { return error; }
        size_t at = start + 1;
        for (auto result : array) {
            if (const int error = separator(owner.tape.count > index + 1, at)) { return error; }
            od::value value;
            if (const auto code = std::move(result).get(value)) { return library(code, at); }
            if (const int error = any(value, static_cast<uint16_t>(depth + 1), at)) { return error; }
        }
        return close(index, ']', at, end);
    }

    // `end` comes in as the place where the value begins.
    int any(od::value &value, uint16_t depth, size_t &end) {
        const size_t start = end;
        if (offset_of(value.raw_json_token().data()) != start) { return fail(CSJ_SYNTAX, start); }
        if (text[start] == '{') {
            od::object object;
            if (const auto code = value.get_object().get(object)) { return library(code, start); }
            return members(object, start, depth, end);
        }
        if (text[start] == '[') {
            od::array array;
            if (const auto code = value.get_array().get(array)) { return library(code, start); }
            return elements(array, start, depth, end);
        }
        if (text[start] == '"') {
            // Taken, not skipped: a skipped string with a colon behind it would pass for a key.
            if (const auto code = value.get_raw_json_string().error()) { return library(code, start); }
        }
        return scalar(start, depth, end);
    }

    int scalar(size_t start, uint16_t depth, size_t &end) {
        if (start >= length) { return fail(CSJ_TRUNCATED, length); }
        switch (text[start]) {
        case '"': return quoted(CSJ_STRING, start, depth, end);
        case 't': return atom(CSJ_TRUE, "true", start, depth, end);
        case 'f': return atom(CSJ_FALSE, "false", start, depth, end);
        case 'n': return atom(CSJ_NULL, "null", start, depth, end);
        default: return number(start, depth, end);
        }
    }

    int quoted(uint8_t kind, size_t quote, uint16_t depth, size_t &end) {
        const auto span = csj::scan_string(text, quote + 1, length);
        if (span.error) { return fail(span.error, span.end); }
        end = span.end + 1;
        return append(kind, span.escaped ? CSJ_ESCAPED : 0, depth, quote + 1, span.end - quote - 1);
    }

    int atom(uint8_t kind, const char *word, size_t start, uint16_t depth, size_t &end) {
        const size_t size = std::strlen(word);
        const size_t there = length - start;
        if (there < size) {
            return fail(std::memcmp(text + start, word, there) == 0 ? CSJ_TRUNCATED : CSJ_SYNTAX, start);
        }
        if (std::memcmp(text + start, word, size) != 0) { return fail(CSJ_SYNTAX, start); }
        end = start + size;
        if (end < length && !csj::ends_scalar(text[end])) { return fail(CSJ_SYNTAX, start); }
        return append(kind, 0, depth, start, size);
    }

    int number(size_t start, uint16_t depth, size_t &end) {
        const auto span = csj::scan_number(text, start, length);
        if (span.error) { return fail(span.error, span.end); }
        if (span.end - start > owner.limits.max_number_length) { return fail(CSJ_NUMBER_TOO_LONG, start); }
        end = span.end;
        return append(CSJ_NUMBER, 0, depth, start, end - start);
    }
};

bool load(csj_parser &parser, const void *bytes, size_t length) {
    const size_t wanted = length + simdjson::SIMDJSON_PADDING;
    if (wanted > parser.buffer_capacity) {
        void *grown = std::realloc(parser.buffer, wanted);
        if (!grown) { return false; }
        parser.buffer = static_cast<uint8_t *>(grown);
        parser.buffer_capacity = wanted;
    }
    if (length) { std::memcpy(parser.buffer, bytes, length); }
    // Blanks, not what an earlier document left: a bracket behind the end could pass for this document's.
    std::memset(parser.buffer + length, ' ', simdjson::SIMDJSON_PADDING);
    return true;
}

}  // namespace

csj_parser *csj_create(csj_limits limits) {
    auto *parser = new (std::nothrow) csj_parser;
    if (parser) { parser->limits = limits; }
    return parser;
}

void csj_destroy(csj_parser *parser) { delete parser; }

const csj_tape *csj_tape_of(const csj_parser *parser) { return &parser->tape; }

void csj_end(csj_parser *parser) { parser->tape.generation += 1; }

int csj_scan(csj_parser *parser, const void *bytes, size_t length, size_t *offset) try {
    parser->tape.count = 0;
    parser->tape.generation += 1;
    *offset = 0;
    if (length > parser->limits.max_bytes) {
        *offset = parser->limits.max_bytes;
        return CSJ_TOO_LARGE;
    }
    if (!load(*parser, bytes, length)) { return CSJ_OUT_OF_MEMORY; }
    Walk walk(*parser, length);
    od::document document;
    const size_t capacity = length + simdjson::SIMDJSON_PADDING;
    int error;
    if (const auto code = parser->parser.iterate(parser->buffer, length, capacity).get(document)) {
        const auto found = csj::diagnose(code, parser->buffer, length, 0);
        error = found.error;
        walk.failed_at = found.offset;
    } else {
        error = walk.root(document);
    }
    parser->tape.tokens = parser->tokens;
    parser->tape.text = parser->buffer;
    parser->tape.length = static_cast<uint32_t>(length);
    if (error) {
        parser->tape.count = 0;
        *offset = walk.failed_at;
    }
    return error;
} catch (...) {
    parser->tape.count = 0;
    return CSJ_OUT_OF_MEMORY;
}
