#include <array>
#include <string>

#include <gtest/gtest.h>

#include "reactor/simulated_poller.hpp"
#include "transport/memory_transport.hpp"

namespace pabal::transport {
namespace {

using namespace std::chrono_literals;

struct recording_observer : transport_observer {
    void on_transport_ready(readiness now) override {
        readable |= now.readable;
        writable |= now.writable;
    }
    bool readable = false;
    bool writable = false;
};

class memory_transport : public testing::Test {
protected:
    void connect(const memory_wire& there = {}, const memory_wire& back = {}) {
        pair_ = make_memory_pair(reactor_, there, back);
        pair_.first->observe(&first_);
        pair_.second->observe(&second_);
    }
    static std::size_t write_once(transport& to, std::string_view text) {
        const std::array pieces{text};
        const auto sent = to.write(pieces);
        return sent ? sent->size : 0;
    }
    /// Reads until the end, an error, or nothing happens any more.
    std::string read_all(transport& from) {
        std::string all;
        std::array<char, 64> buffer;
        for (int quiet = 0; quiet < 100;) {
            const auto got = from.read(buffer);
            if (!got || got->what == io_outcome::kind::end) return all += got ? "<end>" : "<reset>";
            if (got->what == io_outcome::kind::moved) {
                all.append(buffer.data(), got->size);
            } else {
                reactor_.turn(10ms);
                ++quiet;
            }
        }
        return all;
    }

    reactor::reactor reactor_{std::make_unique<reactor::simulated_poller>()};
    recording_observer first_;
    recording_observer second_;
    memory_pair pair_;
};

TEST_F(memory_transport, carries_bytes_and_the_end_and_tells_at_the_end_of_the_turn) {
    connect();
    EXPECT_EQ(write_once(*pair_.first, "hello"), 5U);
    EXPECT_TRUE(pair_.second->maybe_readable());
    EXPECT_FALSE(second_.readable);
    reactor_.turn(0ms);
    EXPECT_TRUE(second_.readable);
    pair_.first->shutdown_write();
    EXPECT_EQ(read_all(*pair_.second), "hello<end>");
    EXPECT_EQ(write_once(*pair_.second, "back"), 4U);
    EXPECT_EQ(read_all(*pair_.first), "back");
}

TEST_F(memory_transport, refuses_when_full_and_tells_when_there_is_room) {
    connect({.capacity = 8});
    EXPECT_EQ(write_once(*pair_.first, "0123456789"), 8U);
    EXPECT_EQ(write_once(*pair_.first, "89"), 0U);
    std::array<char, 4> buffer;
    EXPECT_EQ(pair_.second->read(buffer)->size, 4U);
    reactor_.turn(0ms);
    EXPECT_TRUE(first_.writable);
    EXPECT_EQ(write_once(*pair_.first, "89"), 2U);
    EXPECT_EQ(read_all(*pair_.second), "456789");
}

TEST_F(memory_transport, bytes_and_the_end_take_as_long_as_the_wire_is) {
    connect({.latency = 50ms});
    write_once(*pair_.first, "late");
    pair_.first->shutdown_write();
    reactor_.turn(49ms);
    EXPECT_FALSE(pair_.second->maybe_readable());
    reactor_.turn(1ms);
    EXPECT_TRUE(second_.readable);
    EXPECT_EQ(read_all(*pair_.second), "late<end>");
}

TEST_F(memory_transport, fragments_alike_for_the_same_seed) {
    const auto fragments = [&](std::uint64_t seed) {
        connect({.max_per_read = 7, .fragment_seed = seed});
        write_once(*pair_.first, std::string(100, 'x'));
        std::string sizes;
        std::array<char, 64> buffer;
        for (int read = 0; read < 20; ++read) sizes += std::to_string(pair_.second->read(buffer)->size) + " ";
        return sizes;
    };
    EXPECT_EQ(fragments(7), fragments(7));
    EXPECT_NE(fragments(7), fragments(8));
}

TEST_F(memory_transport, fragmented_bytes_arrive_completely) {
    connect({.capacity = 10, .fragment_seed = 3});
    const std::string sent = "the quick brown fox jumps over the lazy dog";
    std::string received;
    std::string_view left = sent;
    std::array<char, 5> buffer;
    for (int round = 0; round < 500; ++round) {
        if (!left.empty()) left.remove_prefix(write_once(*pair_.first, left));
        if (const auto got = pair_.second->read(buffer); got->what == io_outcome::kind::moved) {
            received.append(buffer.data(), got->size);
        }
        reactor_.turn(0ms);
    }
    EXPECT_EQ(received, sent);
}

TEST_F(memory_transport, a_wire_can_be_cut_after_any_byte) {
    connect({.fault_after = 3, .then = memory_wire::fault::finish});
    EXPECT_EQ(write_once(*pair_.first, "hello"), 5U);
    EXPECT_EQ(read_all(*pair_.second), "hel<end>");

    connect({.fault_after = 3, .then = memory_wire::fault::reset});
    EXPECT_EQ(write_once(*pair_.first, "hello"), 5U);
    EXPECT_EQ(read_all(*pair_.second), "hel<reset>");
    EXPECT_EQ(read_all(*pair_.first), "<reset>");
    EXPECT_EQ(write_once(*pair_.second, "x"), 0U);
}

TEST_F(memory_transport, a_destroyed_end_is_the_end_for_the_other) {
    connect();
    write_once(*pair_.first, "bye");
    pair_.first.reset();
    EXPECT_EQ(read_all(*pair_.second), "bye<end>");
    const std::array<std::string_view, 1> pieces{"anybody?"};
    EXPECT_FALSE(pair_.second->write(pieces));
    reactor_.turn(0ms);
    pair_.second.reset();
    reactor_.turn(0ms);
}

}  // namespace
}  // namespace pabal::transport
