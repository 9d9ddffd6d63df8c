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

/// An alternative of an origin, for as long as it holds.
struct known_alternative {
    std::string protocol;  ///< the ALPN identifier
    alternative place;
    std::chrono::system_clock::time_point expires;
    bool persists = false;  ///< the origin said so: also when the network of this machine changes

    bool operator==(const known_alternative&) const = default;
};

/// All of one origin's, in its order of preference.
struct origin_alternatives {
    std::string host;
    std::uint16_t port = 0;
    std::vector<known_alternative> places;  ///< none: nothing that was known holds any more

    bool operator==(const origin_alternatives&) const = default;
};

class alternative_cache {
public:
    using time_point = std::chrono::system_clock::time_point;
    static constexpr std::size_t default_max_origins = 256;
    /// How long a place is avoided after it could not be reached: the first time, twice as long each time after, at most.
    static constexpr std::chrono::minutes first_avoidance{5};
    static constexpr std::chrono::hours longest_avoidance{48};

    explicit alternative_cache(std::size_t max_origins = default_max_origins) noexcept : max_origins_(max_origins) {}

    /// What the origin `host`:`port` said takes the place of all that it said before. It is news.
    void learn(std::string_view host, std::uint16_t port, const http::alternative_services& said, time_point now);
    /// What is known of an origin from elsewhere (a file, its HTTPS records) takes the place of what was known. It is no news.
    void recall(origin_alternatives origin);
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

    /// What origins said since `forget_news`, those first that were not used for the longest time. Without places: what was known of
    /// the origin is void, as it said itself, or as it does not hold any more.
    std::vector<origin_alternatives> news() const;
    /// It is known where it has to be.
    void forget_news() noexcept;

    void clear() noexcept;
    std::size_t size() const noexcept { return origins_.size(); }

private:
    struct known_origin {
        origin_alternatives said;
        bool is_news = false;
    };
    struct failure {
        time_point until;
        std::chrono::minutes avoided{0};
    };

    void keep(origin_alternatives said, bool is_news);
    void void_what_was_said(std::string_view host, std::uint16_t port);

    std::size_t max_origins_;
    base::lru_map<known_origin> origins_;        ///< by "host:port"
    base::lru_map<origin_alternatives> voided_;  ///< likewise: news without places
    base::lru_map<failure> failures_;            ///< by "protocol host:port"
};

}  // namespace pabal::dial
