#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

// Finds a dotted key of too many parts, without a tree. It skips strings and comments and counts the dots between
// them; text that is no TOML may be counted wrongly, which the parser then refuses anyway.
namespace ckeys {

struct Place {
    uint32_t line;
    uint32_t column;
};

class Reader {
public:
    explicit Reader(std::string_view text) : text(text) {}

    std::optional<Place> too_deep(uint32_t limit) {
        uint32_t dots = 0;
        while (at < text.size()) {
            const char c = text[at];
            if (c == '"' || c == '\'') {
                skip_string(c);
                continue;
            }
            if (c == '#') {
                while (at < text.size() && text[at] != '\n') { step(); }
                continue;
            }
            if (c == '.') {
                dots += 1;
                if (dots >= limit) { return Place{line, column}; }
            } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
                dots = 0;
            }
            step();
        }
        return std::nullopt;
    }

private:
    std::string_view text;
    size_t at = 0;
    uint32_t line = 1;
    uint32_t column = 1;

    void step() {
        const auto c = static_cast<unsigned char>(text[at]);
        at += 1;
        if (c == '\n') {
            line += 1;
            column = 1;
        } else if ((c & 0xC0) != 0x80) {
            column += 1;
        }
    }

    void step(size_t count) {
        for (size_t i = 0; i < count && at < text.size(); i += 1) { step(); }
    }

    bool stands(char c, size_t count) const {
        return text.size() - at >= count && text.substr(at, count).find_first_not_of(c) == std::string_view::npos;
    }

    void skip_string(char quote) {
        const size_t marks = stands(quote, 3) ? 3 : 1;
        step(marks);
        while (at < text.size()) {
            if (quote == '"' && text[at] == '\\') {
                step(2);
            } else if (marks == 1 && text[at] == '\n') {
                return;
            } else if (stands(quote, marks)) {
                // Up to two quotes may stand before the closing three.
                do { step(); } while (marks == 3 && stands(quote, 3));
                step(marks - 1);
                return;
            } else {
                step();
            }
        }
    }
};

inline std::optional<Place> too_deep(std::string_view text, uint32_t limit) { return Reader(text).too_deep(limit); }

}  // namespace ckeys
