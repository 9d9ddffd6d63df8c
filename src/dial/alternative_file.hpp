#pragma once
/// \file
/// The file in which what origins said of where else they can be had (RFC 7838) outlives the process.
///
/// It is in the format of curl's Alt-Svc cache, so that both may use the same one. A line for each alternative, separated by
/// single spaces, and comments that begin with '#':
///
///     h2 example.com 443 h3 edge.example 8443 "20261129 08:30:00" 0 0
///
/// the origin's protocol (which says nothing here: "h2"), host and port; the alternative's; when it expires (UTC); whether it
/// persists; a priority that nobody uses. IPv6 addresses are in brackets. A line that makes no sense is passed over.
///
/// All of it is kept, whether or not it `persists` (section 3.1): whether the network has changed while no process ran, nobody
/// knows, and where an alternative is not reached any more the dial goes on with TCP and avoids it.

#include <string>
#include <string_view>
#include <vector>

#include <pabal/result.hpp>

#include "dial/alternative_cache.hpp"

namespace pabal::dial {

/// Bytes that are read of a file.
inline constexpr std::size_t largest_alternative_file = std::size_t{1} << 20U;

/// The text of a file. What curl has no name for (protocols other than h1, h2 and h3) is left out.
std::string write_alternatives(const std::vector<kept_alternative>& kept);
/// Those that the lines of `text` tell, in their order.
std::vector<kept_alternative> read_alternatives(std::string_view text);

/// Whether the file can be read and written, or made in its folder. The error has the system's number and is the caller's.
result<void> check_alternative_file(const std::string& path);
/// Takes in what the file tells. What cannot be read tells nothing.
void load_alternatives(const std::string& path, alternative_cache& into, alternative_cache::time_point now);
/// Writes what the file tells and `from` has news of, if it has any. The file is replaced at once, by one of mode 0600 that was
/// whole before; on an error it is as it was. Another process may do the same meanwhile: the last one's file stays.
result<void> save_alternatives(const std::string& path, alternative_cache& from, alternative_cache::time_point now);

}  // namespace pabal::dial
