#pragma once
/// \file
/// An origin that is said to speak HTTP/3 somewhere: QUIC to there, raced with TCP to the origin itself.
///
///     QUIC ──────────────▶ it wins, mostly
///       │ 250 ms, or it failed
///       ▼
///     TCP ───────────────▶ it wins: the place is avoided for a while, as UDP seems to get nowhere (RFC 7838 section 2.4)
///
/// The loser is dropped. When both fail, TCP's failure is told: it is the one that would have come without HTTP/3.

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "dial/dialer.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial {

class raced_attempt final : public attempt {
public:
    static constexpr std::chrono::milliseconds head_start{250};

    /// Begins. `to.http3_at` is set. The dialer makes the two attempts, and must outlive this one.
    raced_attempt(reactor::reactor& reactor, dialer& dialer, target to, const dial_limits& limits,
                  dial_observer& observer);

private:
    /// One of the two.
    struct side final : dial_observer {
        explicit side(raced_attempt& its_race) noexcept : race(its_race) {}
        void on_dialed(transport::transport_ptr connected, const dial_timings& timings) override {
            race.tcp_won(std::move(connected), timings);
        }
        void on_linked(std::unique_ptr<connection::http3_link> link, const dial_timings& timings) override {
            race.quic_won(std::move(link), timings);
        }
        void on_dial_failed(pabal::error failure) override { race.lost(*this, std::move(failure)); }
        raced_attempt& race;
        std::unique_ptr<attempt> under_way;
    };

    void start_tcp();
    void tcp_won(transport::transport_ptr connected, const dial_timings& timings);
    void quic_won(std::unique_ptr<connection::http3_link> link, const dial_timings& timings);
    void lost(side& loser, pabal::error failure);
    void avoid_place();

    dialer& dialer_;
    target to_;
    dial_limits limits_;
    dial_observer& observer_;
    side quic_{*this};
    side tcp_{*this};
    std::optional<pabal::error> tcp_failure_;
    reactor::member_timer<raced_attempt, &raced_attempt::start_tcp> patience_{*this};
};

}  // namespace pabal::dial
