#pragma once
/// \file
/// The words of a line of a text file, one after another.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace pabal::base {

/// Cuts the next word off the front of `line`; empty when there is none. Spaces, tabs and a carriage return lie between words.
inline std::string_view next_word(std::string_view& line) noexcept {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t begin = std::min(line.find_first_not_of(blanks), line.size());
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

/// Cuts the next line off the front of `text`, without its end.
inline std::string_view next_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}  // namespace pabal::base
