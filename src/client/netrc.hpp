#pragma once
/// \file
/// ~/.netrc: user names and passwords by host, as ftp, curl and requests keep them.
///
/// Only exact hosts count. The `default` entry is read over: it would give a password to whoever a link leads to.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/url.hpp>

namespace pabal::client {

struct netrc_entry {
    std::string machine;  ///< in lower case
    std::string login;
    std::string password;  ///< its own or none: never that of an entry before
};

class netrc {
public:
    /// Words separated by white space; quotes, '#' comments and macros are understood. What makes no sense ends the entry.
    static netrc parse(std::string_view text);

    /// The entry for exactly the host of `place`; null when there is none, or none with a login.
    const netrc_entry* find(const url& place) const noexcept;
    const std::vector<netrc_entry>& entries() const noexcept { return entries_; }

private:
    std::vector<netrc_entry> entries_;
};

/// The file that $NETRC names, or ~/.netrc; null when it is not there, cannot be read, is no ordinary file or holds nothing.
std::shared_ptr<const netrc> netrc_of_environment();

}  // namespace pabal::client
