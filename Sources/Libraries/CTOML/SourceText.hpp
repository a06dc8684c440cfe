#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Finds what stands at a line and column of the source.
namespace csource {

class Lines {
public:
    explicit Lines(std::string_view text) : text(text) {
        // A byte order mark has no column.
        starts.push_back(text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0);
        for (size_t at = 0; at < text.size(); at += 1) {
            if (text[at] == '\n') { starts.push_back(at + 1); }
        }
    }

    // The number that begins there, without its digit separators; empty when there is none.
    std::string number_at(uint32_t line, uint32_t column) const {
        std::string number;
        if (line == 0 || line > starts.size()) { return number; }
        size_t at = starts[line - 1];
        for (uint32_t skipped = 1; skipped < column && at < text.size(); skipped += 1) { at = next(at); }
        while (at < text.size() && belongs(text[at])) {
            if (text[at] != '_') { number += text[at]; }
            at += 1;
        }
        return number;
    }

private:
    std::string_view text;
    std::vector<size_t> starts;

    size_t next(size_t at) const {
        do { at += 1; } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
        return at;
    }

    static bool belongs(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-'
            || c == '.' || c == '_';
    }
};

}  // namespace csource
