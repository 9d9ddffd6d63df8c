#pragma once
/// \file
/// Whether the peer of a connection is still there. TCP says nothing of a peer that has vanished, and a connection of many
/// exchanges would take one after another into the void, each until its own time is over.
///
///   trusted ──(doubt; or silent for the interval)──▶ asked ──(anything is heard)──▶ trusted
///                                                      │ patience is over
///                                                      ▼
///                                                    gone

#include <chrono>

#include "reactor/reactor.hpp"

namespace pabal::connection {

/// How it is asked, and what is done about the answer.
class liveness_observer {
public:
    /// Ask the peer for a sign of life.
    virtual void ask_for_life() = 0;
    /// It gave one, after it had been asked.
    virtual void on_alive() = 0;
    /// It gave none for as long as it was given.
    virtual void on_gone() = 0;

protected:
    ~liveness_observer() = default;
};

class liveness {
public:
    /// How long an answer to a PING may take.
    static constexpr std::chrono::milliseconds patience{5000};

    /// `interval`: of silence, after which the peer is asked though nobody doubts; zero: never.
    liveness(reactor::reactor& reactor, liveness_observer& observer, std::chrono::milliseconds interval);

    /// Something came from the peer.
    void heard() {
        heard_at_ = reactor_.now();
        if (is_asked_) trust();
    }
    /// Somebody waited in vain.
    void doubt() {
        is_doubted_ = true;
        if (!is_asked_) ask();
    }
    /// Nothing came since somebody waited in vain.
    bool is_doubtful() const noexcept { return is_doubted_; }
    /// Nobody is interested any more.
    void stop() noexcept { timer_.cancel(); }

private:
    void ask();
    void trust();
    void watch();
    void on_timer_expired();

    reactor::reactor& reactor_;
    liveness_observer& observer_;
    std::chrono::milliseconds interval_;
    reactor::time_point heard_at_;
    bool is_asked_ = false;
    bool is_doubted_ = false;
    reactor::member_timer<liveness, &liveness::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
