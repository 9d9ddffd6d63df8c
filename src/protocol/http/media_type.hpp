#pragma once
/// \file
/// Media types as in Content-Type: RFC 9110 section 8.3.1.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pabal::http {

struct media_type {
    std::string essence;                                          ///< "type/subtype", lower-case
    std::vector<std::pair<std::string, std::string>> parameters;  ///< names lower-case, values unquoted, as they came

    /// Nothing when there is no type/subtype at the beginning. Malformed parameters are left out, as real responses
    /// have them and their others still count; of repeated ones the first counts.
    static std::optional<media_type> parse(std::string_view text);

    std::optional<std::string_view> parameter(std::string_view lower_case_name) const noexcept;
    /// The charset parameter in lower-case.
    std::optional<std::string> charset() const;
};

}  // namespace pabal::http
