#pragma once
/// \file
/// How a client would like its responses to share a connection (RFC 9218). A wish: servers may heed it, and those of HTTP/2 and
/// HTTP/3 that answer many requests on one connection mostly do.

namespace pabal {

struct priority {
    static constexpr int usual_urgency = 3;
    static constexpr int least_urgent = 7;

    int urgency = usual_urgency;  ///< from 0, the most urgent, to 7: what nobody waits for
    bool incremental = false;     ///< parts of the response are of use already: let it share with its equals

    bool is_valid() const noexcept { return urgency >= 0 && urgency <= least_urgent; }
    bool operator==(const priority&) const = default;
};

}  // namespace pabal
