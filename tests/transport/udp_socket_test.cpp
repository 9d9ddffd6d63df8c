// UDP sockets against each other on the loopback, with each poller.

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <netinet/in.h>

#include <gtest/gtest.h>

#include "transport/udp_socket.hpp"

namespace pabal::transport {
namespace {

using namespace std::chrono_literals;

/// The far end: a plain socket that knows nothing of the engine.
class far_end {
public:
    explicit far_end(const std::string& host) {
        address_ = ip_address(host, 0).value();
        socket_ = reactor::descriptor(::socket(address_.storage.ss_family, SOCK_DGRAM, 0));
        EXPECT_EQ(::bind(socket_.get(), address_.get(), address_.size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), address_.get(), &address_.size), 0);
        const int on = 1;
        ::setsockopt(socket_.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
        const timeval patience{10, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    const socket_address& address() const { return address_; }
    /// Waits for one datagram; "<none>" when there is none for long.
    std::string hear(int* mark = nullptr) {
        std::array<char, 65536> buffer;
        std::array<char, 256> control;
        iovec vector{buffer.data(), buffer.size()};
        from_.size = sizeof from_.storage;
        msghdr message{};
        message.msg_name = from_.get();
        message.msg_namelen = from_.size;
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const auto size = ::recvmsg(socket_.get(), &message, 0);
        if (size < 0) return "<none>";
        from_.size = message.msg_namelen;
        for (cmsghdr* at = CMSG_FIRSTHDR(&message); mark && at; at = CMSG_NXTHDR(&message, at)) *mark = *CMSG_DATA(at);
        return {buffer.data(), static_cast<std::size_t>(size)};
    }
    void answer(const std::string& datagram, int mark = 0) {
        ::setsockopt(socket_.get(), IPPROTO_IP, IP_TOS, &mark, sizeof mark);
        ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_TCLASS, &mark, sizeof mark);
        EXPECT_EQ(::sendto(socket_.get(), datagram.data(), datagram.size(), 0, from_.get(), from_.size),
                  static_cast<ssize_t>(datagram.size()));
    }
    void close() { socket_.reset(); }

private:
    reactor::descriptor socket_;
    socket_address address_;
    socket_address from_;
};

class udp_socket_over : public testing::TestWithParam<std::tuple<const char*, const char*>>, public udp_observer {
protected:
    void SetUp() override {
        far_ = std::make_unique<far_end>(std::get<1>(GetParam()));
        auto made = udp_socket::connect(reactor_, far_->address().get(), far_->address().size, this);
        ASSERT_TRUE(made) << made.error().message;
        near_ = std::move(*made);
    }
    void on_datagrams() override {
        for (;;) {
            const auto got = near_->receive([this](std::string_view datagram, ecn_mark mark) {
                heard_.emplace_back(datagram);
                marks_.push_back(mark);
            });
            if (!got) {
                failure_ = got.error();
                continue;
            }
            if (got->what != io_outcome::kind::moved) return;
        }
    }
    bool turn_until(const std::function<bool()>& met) {
        const auto deadline = reactor::clock::now() + 10s;
        while (!met() && reactor::clock::now() < deadline) reactor_.turn(100ms);
        return met();
    }

    reactor::reactor reactor_{reactor::make_poller(std::get<0>(GetParam())).value()};
    std::unique_ptr<far_end> far_;
    std::unique_ptr<udp_socket> near_;
    std::vector<std::string> heard_;
    std::vector<ecn_mark> marks_;
    std::optional<error> failure_;
};

INSTANTIATE_TEST_SUITE_P(every, udp_socket_over,
                         testing::Combine(testing::Values("epoll", "poll"), testing::Values("127.0.0.1", "::1")),
                         [](const auto& parameter) {
                             return std::string(std::get<0>(parameter.param)) +
                                    (std::get<1>(parameter.param) == std::string("::1") ? "_ipv6" : "_ipv4");
                         });

TEST_P(udp_socket_over, datagrams_go_both_ways_whole) {
    ASSERT_TRUE(near_->send("question", 1200, 0));
    EXPECT_EQ(far_->hear(), "question");
    for (int count = 0; count < 20; ++count) far_->answer(std::string(1000, static_cast<char>('a' + count)));
    ASSERT_TRUE(turn_until([&] { return heard_.size() == 20; }));
    for (std::size_t at = 0; at < 20; ++at) EXPECT_EQ(heard_[at], std::string(1000, static_cast<char>('a' + at)));
    EXPECT_FALSE(near_->maybe_readable());
}

TEST_P(udp_socket_over, one_send_is_many_datagrams_of_which_the_last_is_shorter) {
    std::string bytes;
    for (char letter = 'a'; letter < 'a' + 20; ++letter) bytes += std::string(1200, letter);
    bytes += "end";
    const auto sent = near_->send(bytes, 1200, 0);
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_EQ(sent->size, bytes.size());
    for (char letter = 'a'; letter < 'a' + 20; ++letter) EXPECT_EQ(far_->hear(), std::string(1200, letter));
    EXPECT_EQ(far_->hear(), "end");
}

TEST_P(udp_socket_over, congestion_marks_are_set_and_seen) {
    ASSERT_TRUE(near_->send("marked", 1200, 2));
    int mark = 0;
    EXPECT_EQ(far_->hear(&mark), "marked");
    EXPECT_EQ(mark & 3, 2);
    far_->answer("congested", 3);
    far_->answer("plain");
    ASSERT_TRUE(turn_until([&] { return heard_.size() == 2; }));
    EXPECT_EQ(marks_, (std::vector<ecn_mark>{3, 0}));
}

TEST_P(udp_socket_over, nobody_at_the_far_end_is_an_error_that_says_so) {
    far_->close();
    ASSERT_TRUE(near_->send("anybody?", 1200, 0));
    ASSERT_TRUE(turn_until([&] { return failure_.has_value(); }));
    EXPECT_EQ(failure_->code, error_code::connection_refused);
}

TEST_P(udp_socket_over, nothing_is_fragmented) {
    const std::string too_large(65'400, 'x');
    const auto sent = near_->send(too_large, too_large.size(), 0);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->size, too_large.size());  // the loopback's datagrams may be as large; elsewhere it is lost
    ASSERT_TRUE(near_->send("next", 1200, 0));
    const std::string first = far_->hear();
    EXPECT_TRUE(first == too_large || first == "next");
}

TEST_P(udp_socket_over, knows_both_addresses) {
    EXPECT_EQ(text_of(near_->peer().get(), near_->peer().size), text_of(far_->address().get(), far_->address().size));
    EXPECT_NE(text_of(near_->local().get(), near_->local().size), text_of(near_->peer().get(), near_->peer().size));
}

}  // namespace
}  // namespace pabal::transport
