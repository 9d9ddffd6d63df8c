#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "transport/udp_listener.hpp"

namespace pabal::transport {
namespace {

using namespace std::chrono_literals;

struct came {
    std::string bytes;
    std::string from, to;
    socket_address peer, own;
};

class udp_serving : public ::testing::Test, public udp_observer {
protected:
    void on_datagrams() override {
        while (listener_
                   ->receive([this](const datagram_arrival& each) {
                       arrived_.push_back({std::string(each.bytes), text_of(each.from->get(), each.from->size),
                                           text_of(each.to->get(), each.to->size), *each.from, *each.to});
                   })
                   .what == io_outcome::kind::moved) {}
    }
    void bind(std::string_view host) { listener_ = udp_listener::bind(reactor_, host, 0, *this).value(); }
    std::uint16_t port() { return ntohs(reinterpret_cast<const sockaddr_in*>(listener_->local().get())->sin_port); }
    /// A client's socket that is connected to that address of the listener's port.
    reactor::descriptor client(const char* host) {
        reactor::descriptor made(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        const socket_address to = ip_address(host, port()).value();
        EXPECT_EQ(::connect(made.get(), to.get(), to.size), 0);
        return made;
    }
    static std::string name_of(const reactor::descriptor& socket) {
        socket_address own;
        own.size = sizeof own.storage;
        EXPECT_EQ(::getsockname(socket.get(), own.get(), &own.size), 0);
        return text_of(own.get(), own.size);
    }
    template <class Done>
    bool until(Done&& done) {
        for (const auto end = reactor::clock::now() + 20s; !done();) {
            if (reactor::clock::now() > end) return false;
            reactor_.turn(5ms);
        }
        return true;
    }
    std::string heard(const reactor::descriptor& by) {
        std::string got(3000, ' ');
        ssize_t size = -1;
        EXPECT_TRUE(until([&] { return (size = ::recv(by.get(), got.data(), got.size(), 0)) >= 0; }));
        return got.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    }

    reactor::reactor reactor_{reactor::make_poller().value()};
    std::unique_ptr<udp_listener> listener_;
    std::vector<came> arrived_;
};

TEST_F(udp_serving, tells_whom_each_datagram_is_from_and_answers_there) {
    bind("127.0.0.1");
    const auto one = client("127.0.0.1"), other = client("127.0.0.1");
    ASSERT_EQ(::send(one.get(), "one", 3, 0), 3);
    ASSERT_EQ(::send(other.get(), "other", 5, 0), 5);
    ASSERT_TRUE(until([&] { return arrived_.size() == 2; }));
    EXPECT_EQ(arrived_[0].bytes, "one");
    EXPECT_EQ(arrived_[0].from, name_of(one));
    EXPECT_EQ(arrived_[1].from, name_of(other));
    EXPECT_EQ(arrived_[1].to, "127.0.0.1:" + std::to_string(port()));
    EXPECT_EQ(listener_->send("to other", 8, 0, {&arrived_[1].peer, &arrived_[1].own}).size, 8U);
    EXPECT_EQ(heard(other), "to other");
}

TEST_F(udp_serving, answers_from_the_address_that_was_asked) {
    bind("");
    const auto asking = client("127.0.0.2");  // a connected socket hears of no other address
    ASSERT_EQ(::send(asking.get(), "hello", 5, 0), 5);
    ASSERT_TRUE(until([&] { return !arrived_.empty(); }));
    EXPECT_EQ(arrived_[0].to, "127.0.0.2:" + std::to_string(port()));
    EXPECT_EQ(listener_->send("hello!", 6, 0, {&arrived_[0].peer, &arrived_[0].own}).size, 6U);
    EXPECT_EQ(heard(asking), "hello!");
}

TEST_F(udp_serving, sends_runs_of_datagrams_of_one_size) {
    bind("127.0.0.1");
    const auto asking = client("127.0.0.1");
    ASSERT_EQ(::send(asking.get(), "hello", 5, 0), 5);
    ASSERT_TRUE(until([&] { return !arrived_.empty(); }));
    const std::string run = std::string(1000, 'a') + std::string(1000, 'b') + std::string(500, 'c');
    EXPECT_EQ(listener_->send(run, 1000, 0, {&arrived_[0].peer, &arrived_[0].own}).size, run.size());
    EXPECT_EQ(heard(asking), std::string(1000, 'a'));
    EXPECT_EQ(heard(asking), std::string(1000, 'b'));
    EXPECT_EQ(heard(asking), std::string(500, 'c'));
}

TEST_F(udp_serving, whom_nothing_can_be_sent_to_disturbs_nobody) {
    bind("127.0.0.1");
    const auto asking = client("127.0.0.1");
    ASSERT_EQ(::send(asking.get(), "hello", 5, 0), 5);
    ASSERT_TRUE(until([&] { return !arrived_.empty(); }));
    const socket_address nobody = ip_address("127.0.0.1", 0).value();
    const std::string run(3000, 'x');
    EXPECT_EQ(listener_->send(run, 1000, 0, {&nobody, nullptr}).size, run.size()) << "it counts as sent, and is lost";
    EXPECT_EQ(listener_->send(run, 1000, 0, {&arrived_[0].peer, &arrived_[0].own}).size, run.size());
    EXPECT_EQ(heard(asking), std::string(1000, 'x'));
}

TEST_F(udp_serving, an_address_that_is_taken_says_so) {
    bind("127.0.0.1");
    const auto second = udp_listener::bind(reactor_, "127.0.0.1", port(), *this);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().where, phase::prepare);
    EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(port())), std::string::npos)
        << second.error().message;
}

}  // namespace
}  // namespace pabal::transport
