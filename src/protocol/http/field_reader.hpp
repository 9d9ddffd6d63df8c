#pragma once
/// \file
/// Reads the value of a field piece by piece, by the grammar that most structured ones share: tokens, quoted strings, parameters
/// and lists (RFC 9110 section 5.6). A plain value: copying one is looking ahead. What was read is taken; what could not be read
/// is left as it was.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pabal::http {

/// ASCII letters in lower case.
std::string lower_case(std::string_view text);

class field_reader {
public:
    /// The text must outlive the reader, and what it hands out as views.
    explicit field_reader(std::string_view text) noexcept : left_(text) {}

    bool at_end() const noexcept { return left_.empty(); }
    bool at(char c) const noexcept { return !left_.empty() && left_.front() == c; }
    bool take(char c) noexcept;
    void skip_space() noexcept;
    /// Empty list elements are to be ignored (RFC 9110 section 5.6.1.2).
    void skip_commas() noexcept;
    /// Empty: none comes.
    std::string_view token() noexcept;
    /// RFC 9110 section 11.2. Empty: none comes.
    std::string_view token68() noexcept;
    /// Without its quotes, escapes undone (RFC 9110 section 5.6.4).
    std::optional<std::string> quoted_string();
    /// name BWS "=" BWS (token / quoted-string), the name in lower case.
    std::optional<std::pair<std::string, std::string>> parameter();

private:
    std::string_view take_first(std::size_t size) noexcept;
    std::string_view left_;
};

}  // namespace pabal::http
