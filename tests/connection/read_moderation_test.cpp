#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "connection/read_moderation.hpp"
#include "reactor/simulated_poller.hpp"
#include "transport/memory_transport.hpp"

namespace pabal::connection {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t record = 16 * 1024;

/// A reader that is always faster than its peer, at both ends of a wire, on a simulated clock.
class moderated : public ::testing::Test, private transport::transport_observer {
protected:
    moderated() { ends_.second->observe(this); }

    /// The peer sends `times` records, one each `every`.
    void send(std::size_t times, reactor::duration every) {
        const std::string bytes(record, 'x');
        for (; times > 0; --times) {
            write(bytes);
            pass(every);
        }
    }
    void write(std::string_view bytes) {
        const std::array pieces{bytes};
        ASSERT_EQ(ends_.first->write(pieces)->size, bytes.size());
    }
    void pass(reactor::duration time) {
        for (const auto until = reactor_.now() + time;;) {
            reactor_.turn(0ms);  // what was written is told at the end of a turn
            if (reactor_.now() >= until) return;
            reactor_.turn(until - reactor_.now());
        }
    }
    /// Lets what was written be told, in no time.
    void settle() {
        for (int turns = 0; turns < 3; ++turns) reactor_.turn(0ms);
    }

    std::uint64_t to_come_ = 1'000'000'000;
    std::size_t received_ = 0;
    std::size_t reports_ = 0;

    reactor::reactor reactor_{std::make_unique<reactor::simulated_poller>()};
    transport::memory_pair ends_{transport::make_memory_pair(reactor_, {.capacity = 1024 * 1024})};
    read_moderation moderation_{reactor_};

private:
    void on_transport_ready(transport::readiness) override {
        ++reports_;
        std::array<char, 64 * 1024> buffer;
        while (true) {
            const auto got = ends_.second->read(buffer);
            if (got->what != transport::io_outcome::kind::moved) break;
            received_ += got->size;
            to_come_ -= got->size;
            moderation_.received(got->size);
        }
        if (to_come_ > 0) moderation_.wait(*ends_.second, to_come_);
        else moderation_.end();
    }
};

TEST_F(moderated, a_slow_body_is_reported_as_it_comes) {
    send(100, 1ms);  // 16 MB/s
    EXPECT_EQ(reports_, 100U);
    EXPECT_EQ(received_, 100 * record);
}

TEST_F(moderated, a_fast_body_is_reported_eight_records_at_a_time) {
    send(40, 100us);  // 160 MB/s: two samples show it
    reports_ = 0;
    send(300, 100us);
    EXPECT_LE(reports_, 38U);
    EXPECT_GE(received_, 332 * record);
}

TEST_F(moderated, a_less_fast_body_is_reported_four_records_at_a_time) {
    send(60, 200us);  // 80 MB/s
    reports_ = 0;
    send(300, 200us);
    EXPECT_LE(reports_, 76U);
    EXPECT_GE(reports_, 70U);
}

TEST_F(moderated, a_fast_peer_that_falls_silent_is_heard_within_five_milliseconds) {
    send(40, 100us);
    write("the last word for now");
    pass(5ms);
    EXPECT_EQ(received_, 40 * record + 21);
    reports_ = 0;
    send(10, 1ms);
    EXPECT_EQ(reports_, 10U) << "and everything after it at once";
}

TEST_F(moderated, a_fast_peer_that_becomes_slow_is_heard_at_once) {
    send(40, 100us);
    send(40, 1ms);
    reports_ = 0;
    send(10, 1ms);
    EXPECT_EQ(reports_, 10U);
}

TEST_F(moderated, the_end_of_a_body_is_not_late) {
    to_come_ = 100 * record;
    send(99, 100us);
    write(std::string(record, 'x'));
    settle();
    EXPECT_EQ(to_come_, 0U);
    to_come_ = 5;
    write("after");
    settle();
    EXPECT_EQ(to_come_, 0U) << "what follows a fast body";
}

TEST_F(moderated, a_peer_that_ends_early_is_heard_at_once) {
    send(40, 100us);
    write("abc");
    ends_.first.reset();
    settle();
    EXPECT_EQ(received_, 40 * record + 3);
}

TEST_F(moderated, a_transport_that_is_gone_is_not_touched) {
    send(40, 100us);
    moderation_.forget();
    ends_.second.reset();
    reactor_.turn(10ms);
}

}  // namespace
}  // namespace pabal::connection
