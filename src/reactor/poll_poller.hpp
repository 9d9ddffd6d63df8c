#pragma once
/// \file
/// Any POSIX system: poll(). The fall-back, and the other half of every test of the reactor.
///
/// poll() reports a state, not a change. To give edges, a direction that was reported is left out until the owner says by
/// `rearm` that it met EAGAIN. A hang-up, which poll() reports whether asked or not, takes the descriptor out likewise.
///
/// Threads: `add`, `remove` and `rearm` may be called while another thread waits; it is then woken to wait anew.

#include <mutex>
#include <vector>

#include <poll.h>

#include "reactor/descriptor.hpp"
#include "reactor/poller.hpp"

namespace pabal::reactor {

class poll_poller final : public poller {
public:
    static result<std::unique_ptr<poller>> make();

    result<void> add(int descriptor, io_watcher& watcher, interest wanted) override;
    void remove(int descriptor) override;
    void rearm(int descriptor, bool read, bool write) override;
    std::size_t wait(std::optional<duration> limit, std::span<poll_event> events) override;
    void wake() override;
    int descriptor() const override { return -1; }
    void set_host_alarm(std::optional<time_point>) override {}
    std::string_view name() const override { return "poll"; }

private:
    struct registration {
        io_watcher* watcher = nullptr;
        std::uint64_t generation = 0;  ///< tells apart successive uses of one descriptor number
        short awaited = 0;
        bool hung_up = false;
    };

    poll_poller() = default;
    void prepare_wait();
    std::size_t collect(std::span<poll_event> events);
    void empty_waker();
    void wake_if_waiting();

    reactor::descriptor waker_read_;
    reactor::descriptor waker_write_;
    std::mutex mutex_;
    std::vector<registration> registered_;  ///< by descriptor
    std::uint64_t next_generation_ = 1;
    std::vector<pollfd> polled_;              ///< what the wait under way asked for …
    std::vector<std::uint64_t> generations_;  ///< … and on whose behalf
    std::size_t first_to_collect_ = 0;        ///< moves on when there is more than a turn takes, to be fair
    bool waiting_ = false;
};

}  // namespace pabal::reactor
