#pragma once
/// \file
/// What origins said of where else they can be had (RFC 7838), for as long as they said it holds, and which of those places could
/// not be reached. Bounded: the origin unused for the longest time is forgotten first. Sans-I/O: the caller tells the time, that
/// of the wall, since what is known may outlive the process.
///
/// Whom to believe is the caller's to decide: only what an origin itself said, over TLS, is to be learnt (section 2.1).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lru_map.hpp"
#include "protocol/http/alternative_services.hpp"

namespace pabal::dial {

/// A place where an origin can be had. Its certificate must be the origin's all the same.
struct alternative {
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const alternative&) const = default;
};

/// One alternative of one origin, as it is kept where it outlives the process.
struct kept_alternative {
    std::string host;  ///< the origin's
    std::uint16_t port = 0;
    std::string protocol;
    alternative place;
    std::chrono::system_clock::time_point expires;
    bool persists = false;  ///< as http::alternative_service::persists

    bool operator==(const kept_alternative&) const = default;
};

class alternative_cache {
public:
    using time_point = std::chrono::system_clock::time_point;
    static constexpr std::size_t default_max_origins = 256;
    /// How long a place is avoided after it could not be reached: the first time, twice as long each time after, at most.
    static constexpr std::chrono::minutes first_avoidance{5};
    static constexpr std::chrono::hours longest_avoidance{48};

    explicit alternative_cache(std::size_t max_origins = default_max_origins) noexcept : max_origins_(max_origins) {}

    /// What the origin `host`:`port` said takes the place of all that it said before.
    void learn(std::string_view host, std::uint16_t port, const http::alternative_services& said, time_point now);
    /// The first of the origin's alternatives for `protocol` that is current and not avoided.
    std::optional<alternative> find(std::string_view host, std::uint16_t port, std::string_view protocol,
                                    time_point now);

    /// A place took a request of the origin's and said that it does not answer for it (421, RFC 7838 section 6): it is avoided, and all that
    /// the origin said is forgotten. False: nothing was known.
    bool reject(std::string_view host, std::uint16_t port, std::string_view protocol, time_point now);

    /// A place could not be reached, or did not hold what it promised: it is avoided for a while.
    void avoid(const alternative& place, std::string_view protocol, time_point now);
    bool is_avoided(const alternative& place, std::string_view protocol, time_point now);
    /// It was reached: the next failure is a first one.
    void trust(const alternative& place, std::string_view protocol);

    /// All that is current, those of the origin that was used last at the end; each origin's in their order.
    std::vector<kept_alternative> kept(time_point now) const;
    /// Takes one in that was kept, behind others of its origin, unless it has expired or its origin has said something since.
    void take_in(const kept_alternative& kept, time_point now);
    /// Something was said, or taken back, since the cache was made or saved.
    bool has_news() const noexcept { return !news_.empty(); }
    /// Of the origins that `newer` has news of, what it knows takes the place of all that is known here. Both are as bounded as this.
    void take_news_of(alternative_cache& newer);
    void forget_news() noexcept { news_.clear(); }

    void clear() noexcept;
    std::size_t size() const noexcept { return origins_.size(); }

private:
    struct known {
        std::string protocol;
        alternative place;
        time_point expires;
        bool persists = false;
    };
    struct nothing {};
    struct failure {
        time_point until;
        std::chrono::minutes avoided{0};
    };

    void note_news(std::string_view name);
    void set(std::string_view name, std::vector<known> places);

    std::size_t max_origins_;
    base::lru_map<std::vector<known>> origins_;  ///< by "host:port"
    base::lru_map<failure> failures_;            ///< by "protocol host:port"
    base::lru_map<nothing> news_;  ///< "host:port" of origins that said something, or whose places were taken back
};

}  // namespace pabal::dial
