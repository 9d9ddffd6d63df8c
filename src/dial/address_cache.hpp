#pragma once
/// \file
/// What resolvers answered, for as long as they said it holds. Bounded: the host unused for the longest time is forgotten
/// first, so that a flood of made-up names costs nothing but the cache's usefulness. Sans-I/O: the caller tells the time.

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <pabal/error.hpp>

#include "base/lru_map.hpp"
#include "dial/address.hpp"

namespace pabal::dial {

/// What is known of a name in one family. Without addresses and without failure: the name exists, but not in this family.
struct family_answer {
    std::vector<address> addresses;  ///< of port 0, in the order they came
    std::optional<error> failure;    ///< host_not_found: the name does not exist; resolver_failed: nobody knows
};

class address_cache {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::size_t default_max_hosts = 1024;

    explicit address_cache(std::size_t max_hosts = default_max_hosts) noexcept : max_hosts_(max_hosts) {}

    /// Null when nothing (or nothing current) is known. Valid until the next call.
    const family_answer* find(std::string_view host, address_family family, time_point now);
    void put(std::string_view host, address_family family, family_answer answer, time_point expires);
    void clear() noexcept { hosts_.clear(); }
    std::size_t size() const noexcept { return hosts_.size(); }

private:
    struct remembered {
        family_answer answer;
        time_point expires;
    };
    std::size_t max_hosts_;
    base::lru_map<std::array<std::optional<remembered>, 2>> hosts_;
};

}  // namespace pabal::dial
