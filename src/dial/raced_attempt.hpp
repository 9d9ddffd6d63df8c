#pragma once
/// \file
/// An origin that may be had over HTTP/3: QUIC, raced with TCP.
///
/// Where it is known that there is such a place (RFC 7838), QUIC goes first:
///
///     QUIC ──────────────▶ it wins, mostly
///       │ 250 ms, or it failed
///       ▼
///     TCP ───────────────▶ it wins: the place is avoided for a while, as UDP seems to get nowhere (section 2.4)
///
/// Where nothing is known, TCP goes first, and the origin's HTTPS records are asked for (RFC 9460); QUIC joins when they name a
/// place, which is known from then on. When TCP has failed they are waited for a little longer.
///
/// The loser is dropped. A side that finds a connection which is there already (dial_observer::is_reached) has won. When both fail, TCP's failure is told: it is the one that would have come without HTTP/3.

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "dial/dialer.hpp"
#include "dial/resolver.hpp"
#include "dial/service_binding.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial {

class raced_attempt final : public attempt, private service_observer {
public:
    static constexpr std::chrono::milliseconds head_start{250};
    /// So long records are waited for when TCP has failed.
    static constexpr std::chrono::milliseconds last_hope{250};
    /// What a record says is asked for again after that time.
    static constexpr std::chrono::minutes records_hold{5};

    /// Begins. `to.alternatives` is set. The dialer makes the two attempts; it and the resolver must outlive this one.
    raced_attempt(reactor::reactor& reactor, dialer& dialer, resolver& names, target to, const dial_limits& limits,
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
        bool is_reached(const address& peer, bool over_quic) override {
            return race.observer_.is_reached(peer, over_quic);
        }
        void on_reached() override { race.reached(*this); }
        void on_dial_failed(pabal::error failure) override { race.lost(*this, std::move(failure)); }
        void on_hello_rejected(std::string keys) override { race.observer_.on_hello_rejected(std::move(keys)); }
        raced_attempt& race;
        std::unique_ptr<attempt> under_way;
    };

    void on_services(const std::vector<service_binding>& found) override;
    void start_quic(const alternative& place);
    void start_tcp();
    void tcp_won(transport::transport_ptr connected, const dial_timings& timings);
    void quic_won(std::unique_ptr<connection::http3_link> link, const dial_timings& timings);
    void reached(side& winner);
    void drop_quic();
    void drop_tcp();
    void lost(side& loser, pabal::error failure);
    void on_patience_over();
    void fail_if_over();
    void avoid_place();

    reactor::reactor& reactor_;
    dialer& dialer_;
    target to_;
    dial_limits limits_;
    dial_observer& observer_;
    side quic_{*this};
    side tcp_{*this};
    std::optional<pabal::error> tcp_failure_;
    std::optional<alternative> place_;  ///< where QUIC goes to
    bool has_head_start_ = false;
    std::unique_ptr<lookup> records_;
    reactor::member_timer<raced_attempt, &raced_attempt::on_patience_over> patience_{*this};
};

}  // namespace pabal::dial
