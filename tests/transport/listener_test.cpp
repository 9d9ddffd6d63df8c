#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "transport/listener.hpp"

namespace pabal::transport {
namespace {

using namespace std::chrono_literals;

struct recording_accept : accept_observer {
    void on_accepted(transport_ptr one) override {
        accepted.push_back(std::move(one));
        if (then) then();
    }
    std::vector<transport_ptr> accepted;
    std::function<void()> then;
};

reactor::descriptor connect_to(const socket_address& address) {
    reactor::descriptor socket(::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), address.get(), address.size), 0);
    return socket;
}

class listener_test : public testing::TestWithParam<const char*> {
protected:
    void turn_until(const std::function<bool()>& met) {
        const auto deadline = reactor::clock::now() + 10s;
        while (!met()) {
            ASSERT_LT(reactor::clock::now(), deadline);
            reactor_.turn(20ms);
        }
    }
    reactor::reactor reactor_{reactor::make_poller(GetParam()).value()};
    recording_accept accepting_;
};
INSTANTIATE_TEST_SUITE_P(transport, listener_test, testing::Values("epoll", "poll"),
                         [](const auto& named) { return std::string(named.param); });

TEST_P(listener_test, accepts_every_connection_of_a_burst) {
    const auto listening = listener::tcp(reactor_, "127.0.0.1", 0, accepting_).value();
    const auto address = ip_address("127.0.0.1", listening->port()).value();
    std::vector<reactor::descriptor> clients;
    for (int number = 0; number < 200; ++number) clients.push_back(connect_to(address));
    turn_until([&] { return accepting_.accepted.size() == 200; });
    EXPECT_EQ(accepting_.accepted[0]->describe().local_address, listening->address());
}

TEST_P(listener_test, over_ipv6_when_the_system_has_it) {
    auto listening = listener::tcp(reactor_, "::1", 0, accepting_);
    if (!listening) GTEST_SKIP() << listening.error().message;
    const auto client = connect_to(ip_address("::1", (*listening)->port()).value());
    turn_until([&] { return accepting_.accepted.size() == 1; });
    EXPECT_EQ((*listening)->address().find("[::1]:"), 0U);
}

TEST_P(listener_test, pause_leaves_connections_waiting_until_resume) {
    const auto listening = listener::tcp(reactor_, "127.0.0.1", 0, accepting_).value();
    accepting_.then = [&] { listening->pause(); };
    const auto address = ip_address("127.0.0.1", listening->port()).value();
    const auto first = connect_to(address);
    const auto second = connect_to(address);
    turn_until([&] { return accepting_.accepted.size() == 1; });
    for (int turn = 0; turn < 5; ++turn) reactor_.turn(1ms);
    EXPECT_EQ(accepting_.accepted.size(), 1U);
    listening->resume();
    turn_until([&] { return accepting_.accepted.size() == 2; });
}

TEST_P(listener_test, the_observer_may_destroy_it) {
    auto listening = listener::tcp(reactor_, "127.0.0.1", 0, accepting_).value();
    accepting_.then = [&] { listening.reset(); };
    const auto address = ip_address("127.0.0.1", listening->port()).value();
    const auto first = connect_to(address);
    turn_until([&] { return accepting_.accepted.size() == 1; });
    EXPECT_EQ(listening, nullptr);
}

TEST_P(listener_test, survives_running_out_of_descriptors) {
    const auto listening = listener::tcp(reactor_, "127.0.0.1", 0, accepting_).value();
    const auto client = connect_to(ip_address("127.0.0.1", listening->port()).value());
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit tight = before;
    reactor::descriptor highest(::dup(0));
    tight.rlim_cur = static_cast<rlim_t>(highest.get());
    highest.reset();
    ::setrlimit(RLIMIT_NOFILE, &tight);
    for (int turn = 0; turn < 5; ++turn) reactor_.turn(1ms);
    const bool refused = accepting_.accepted.empty();
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_TRUE(refused);
    turn_until([&] { return accepting_.accepted.size() == 1; });
}

TEST_P(listener_test, a_unix_socket_file_is_made_replaced_when_stale_and_removed) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("pabal-listener-" + std::to_string(::getpid()))).string();
    {
        const auto listening = listener::unix_socket(reactor_, path, accepting_).value();
        EXPECT_TRUE(std::filesystem::exists(path));
        EXPECT_FALSE(listener::unix_socket(reactor_, path, accepting_)) << "somebody listens there";
        const auto client = connect_to(unix_address(path).value());
        turn_until([&] { return !accepting_.accepted.empty(); });
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    {
        const auto address = unix_address(path).value();
        const reactor::descriptor killed(::socket(AF_UNIX, SOCK_STREAM, 0));
        ASSERT_EQ(::bind(killed.get(), address.get(), address.size), 0);
    }
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_TRUE(listener::unix_socket(reactor_, path, accepting_));
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_P(listener_test, an_occupied_port_and_a_bad_address_are_errors_with_the_address_in_them) {
    const auto listening = listener::tcp(reactor_, "127.0.0.1", 0, accepting_).value();
    const auto again = listener::tcp(reactor_, "127.0.0.1", listening->port(), accepting_);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find(listening->address()), std::string::npos) << again.error().message;
    EXPECT_FALSE(listener::tcp(reactor_, "not an address", 0, accepting_));
}

}  // namespace
}  // namespace pabal::transport
