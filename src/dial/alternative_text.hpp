#pragma once
/// \file
/// What origins said of Alt-Svc as curl's cache file has it, so that both programs can use the same file: a line for each
/// alternative, oldest first, of nine words.
///
///     h2 www.example.com 443 h3 alt.example.com 8443 "20270101 10:00:00" 1 0
///
/// The protocol, host and port of the origin; those of the alternative; until when it holds (UTC); whether it persists; a priority
/// that nobody uses. IPv6 literals are in brackets, and '#' begins a comment. Of protocols curl knows h1, h2 and h3: others are not
/// written. For us an origin is a host and a port however it was spoken with, as RFC 7838 has it: the first word may be any of those
/// names, and is written as h2, which curl asks for wherever it may speak that. Sans-I/O.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dial/alternative_cache.hpp"

namespace pabal::dial {

/// As many as curl keeps. Of more the first, which are the oldest, are left out.
inline constexpr std::size_t max_alternative_lines = 5000;

/// What `text` says and still holds; lines that are malformed are passed over. Nothing holds beyond the last second of the clock.
std::vector<origin_alternatives> read_alternatives(std::string_view text, alternative_cache::time_point now);

/// The text of a file, comments in front.
std::string write_alternatives(const std::vector<origin_alternatives>& origins);

/// What `there` says, but of the origins that `news` are about: of these the news alone count. They come last.
std::vector<origin_alternatives> merge_alternatives(std::vector<origin_alternatives> there,
                                                    std::vector<origin_alternatives> news,
                                                    alternative_cache::time_point now);

}  // namespace pabal::dial
