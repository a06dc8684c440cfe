// toml++ parses; this file flattens its tree and puts back what the tree has lost: the order of a table's keys (its map
// sorts them by name) and a float's own digits (0.3215 must not become a binary fraction before money sees it).
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32
// Some of toml++'s assertions are about the text, such as `[ = ]`, and are checked once more just behind. They must
// neither abort nor, as they do in a build with NDEBUG, tell the compiler that the text cannot be so.
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "CTOML.h"
#include "KeyDepth.hpp"
#include "SourceText.hpp"

namespace {

struct Document {
    ctoml_document c{};  // first: its address is the document's
    std::vector<ctoml_node> nodes;
    std::string text;
    std::string reason;
};

class Flattening {
public:
    Flattening(Document &document, std::string_view source) : document(document), source(source) {}

    void value(const toml::node &node, const toml::key *key) {
        ctoml_node flat{};
        flat.line = node.source().begin.line;
        flat.column = node.source().begin.column;
        if (key) {
            flat.key = store(key->str());
            flat.key_line = key->source().begin.line;
            flat.key_column = key->source().begin.column;
        }
        if (const auto *table = node.as_table()) {
            flat.kind = CTOML_TABLE;
            flat.count = static_cast<uint32_t>(table->size());
            document.nodes.push_back(flat);
            members(*table);
        } else if (const auto *array = node.as_array()) {
            flat.kind = CTOML_ARRAY;
            flat.count = static_cast<uint32_t>(array->size());
            document.nodes.push_back(flat);
            for (const auto &element : *array) { value(element, nullptr); }
        } else {
            scalar(node, flat);
            document.nodes.push_back(flat);
        }
    }

private:
    Document &document;
    csource::Lines source;

    ctoml_text store(std::string_view text) {
        const size_t start = document.text.size();
        document.text.append(text);
        return {start, text.size()};
    }

    void members(const toml::table &table) {
        std::vector<std::pair<const toml::key *, const toml::node *>> ordered;
        ordered.reserve(table.size());
        for (auto entry = table.cbegin(); entry != table.cend(); ++entry) {
            ordered.emplace_back(&entry->first, &entry->second);
        }
        std::stable_sort(ordered.begin(), ordered.end(), [](const auto &a, const auto &b) {
            const auto &x = a.first->source().begin;
            const auto &y = b.first->source().begin;
            return x.line != y.line ? x.line < y.line : x.column < y.column;
        });
        for (const auto &[key, node] : ordered) { value(*node, key); }
    }

    void scalar(const toml::node &node, ctoml_node &flat) {
        if (const auto *string = node.as_string()) {
            flat.kind = CTOML_STRING;
            flat.text = store(string->get());
        } else if (const auto *integer = node.as_integer()) {
            flat.kind = CTOML_INTEGER;
            flat.integer = integer->get();
        } else if (const auto *number = node.as_floating_point()) {
            flat.kind = CTOML_FLOAT;
            flat.number = number->get();
            flat.text = store(source.number_at(flat.line, flat.column));
        } else if (const auto *boolean = node.as_boolean()) {
            flat.kind = CTOML_BOOLEAN;
            flat.boolean = boolean->get() ? 1 : 0;
        } else if (const auto *date = node.as_date()) {
            flat.kind = CTOML_LOCAL_DATE;
            flat.text = store(written(date->get()));
        } else if (const auto *time = node.as_time()) {
            flat.kind = CTOML_LOCAL_TIME;
            flat.text = store(written(time->get()));
        } else if (const auto *instant = node.as_date_time()) {
            const toml::date_time &both = instant->get();
            flat.kind = both.offset ? CTOML_OFFSET_DATE_TIME : CTOML_LOCAL_DATE_TIME;
            flat.text = store(written(both.date) + "T" + written(both.time) + written(both.offset));
        }
    }

    static std::string written(const toml::date &date) {
        char text[32];
        std::snprintf(text, sizeof text, "%04u-%02u-%02u", unsigned{date.year}, unsigned{date.month}, unsigned{date.day});
        return text;
    }

    static std::string written(const toml::time &time) {
        char text[48];
        std::snprintf(
            text, sizeof text, "%02u:%02u:%02u", unsigned{time.hour}, unsigned{time.minute}, unsigned{time.second});
        std::string result = text;
        if (time.nanosecond) {
            std::snprintf(text, sizeof text, ".%09u", unsigned{time.nanosecond});
            result += text;
            result.erase(result.find_last_not_of('0') + 1);
        }
        return result;
    }

    static std::string written(const std::optional<toml::time_offset> &offset) {
        if (!offset) { return ""; }
        if (offset->minutes == 0) { return "Z"; }
        const int minutes = offset->minutes < 0 ? -offset->minutes : offset->minutes;
        char text[32];
        std::snprintf(text, sizeof text, "%c%02d:%02d", offset->minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
        return text;
    }
};

void fail(Document &document, std::string reason, uint32_t line, uint32_t column) {
    document.nodes.clear();
    document.reason = std::move(reason);
    document.c.reason = document.reason.c_str();
    document.c.line = line;
    document.c.column = column;
}

void parse(Document &document, std::string_view source, uint32_t max_key_depth) {
    // toml++ limits brackets but not dots, and each dot of a key is a table: freeing 500,000 of them, one inside the
    // other, would end the stack.
    if (const auto deep = ckeys::too_deep(source, max_key_depth)) {
        return fail(document, "The key has too many parts", deep->line, deep->column);
    }
    const toml::parse_result result = toml::parse(source);
    if (!result) {
        const auto &at = result.error().source().begin;
        return fail(document, std::string(result.error().description()), at.line, at.column);
    }
    Flattening(document, source).value(result.table(), nullptr);
    document.c.nodes = document.nodes.data();
    document.c.count = document.nodes.size();
    document.c.text = document.text.data();
}

}  // namespace

ctoml_document *ctoml_parse(const char *text, size_t length, uint32_t max_key_depth) try {
    auto *document = new Document;
    try {
        parse(*document, std::string_view(text, length), max_key_depth);
    } catch (...) {
        delete document;
        return nullptr;
    }
    return &document->c;
} catch (...) {
    return nullptr;
}

void ctoml_free(ctoml_document *document) { delete reinterpret_cast<Document *>(document); }
