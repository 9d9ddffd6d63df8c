#pragma once
/// \file
/// Things that are for some places only: "host" (any scheme and port), "host:port", or "scheme://host[:port]", one origin.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pabal/result.hpp>
#include <pabal/url.hpp>

namespace pabal::client {

/// Names hosts exactly: no wildcards, no suffixes.
class origin_pattern {
public:
    /// Fails with invalid_argument for anything else than the three forms; a final slash is allowed.
    static result<origin_pattern> parse(std::string_view text);

    /// How specific the match is: 1 for a host, 2 for a host and port, 3 for an origin; 0: none.
    int matches(const url& place) const noexcept;

private:
    origin_pattern(url named, int specific) : named_(std::move(named)), specific_(specific) {}
    url named_;
    int specific_;
};

template <class T>
class origin_map {
public:
    void add(origin_pattern where, T what) { entries_.emplace_back(std::move(where), std::move(what)); }
    /// The most specific entry; of equals the first. Null: none.
    const T* find(const url& place) const noexcept {
        const T* best = nullptr;
        int best_match = 0;
        for (const auto& [where, what] : entries_) {
            if (const int match = where.matches(place); match > best_match) best = &what, best_match = match;
        }
        return best;
    }

private:
    std::vector<std::pair<origin_pattern, T>> entries_;
};

}  // namespace pabal::client
