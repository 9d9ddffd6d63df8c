#pragma once
/// \file
/// nghttp3's server (protocol/http3/http3_server.hpp) on a UDP socket of 127.0.0.1, for one client.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <pabal/tls.hpp>

#include "protocol/http3/http3_server.hpp"
#include "protocol/quic/first_datagram.hpp"
#include "protocol/quic/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/quic_tls.hpp"
#include "transport/socket_address.hpp"
#include "transport/throw_away_certificate.hpp"

namespace pabal::connection::testing {

class http3_host final : private reactor::io_watcher {
public:
    explicit http3_host(reactor::reactor& reactor, std::uint64_t streams = 100) : reactor_(reactor) {
        limits_.peer_streams = streams;
        const std::vector<std::string> names{"127.0.0.1"};
        const auto identity = transport::self_signed_certificate(names).value();
        certificate = identity.certificate;
        tls_server_options options;
        options.certificate = identity.certificate;
        options.key = identity.key;
        options.application_protocols = {"h3"};
        tls_ = transport::quic_tls::accept(transport::tls_context::make_server(options).value()).value();
        socket_ = reactor::descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        address = transport::ip_address("127.0.0.1", 0).value();
        EXPECT_EQ(::bind(socket_.get(), address.get(), address.size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), address.get(), &address.size), 0);
        EXPECT_TRUE(reactor_.watch(socket_.get(), *this, reactor::interest::reading));
    }
    ~http3_host() { go_deaf(); }
    http3_host(const http3_host&) = delete;
    http3_host& operator=(const http3_host&) = delete;

    /// Sends what the script or the machine has to say.
    void say() {
        if (!quic_) return;
        std::string space(65'000, ' ');
        for (;;) {
            const auto made = quic_->send(space, reactor_.now());
            if (!made || made->size == 0) break;
            for (std::size_t at = 0; at < made->size && !is_mute; at += made->segment) {
                ::sendto(socket_.get(), space.data() + at, std::min(made->segment, made->size - at), 0, client_.get(),
                         client_.size);
            }
        }
        if (const auto due = quic_->deadline()) reactor_.set_timer(timer_, *due);
    }
    /// The machine is gone without a word: nothing listens on the port any more.
    void go_deaf() {
        timer_.cancel();
        if (!socket_.is_open()) return;
        reactor_.unwatch(socket_.get(), *this);
        socket_.reset();
        quic_.reset();
    }
    quic::machine* quic() noexcept { return quic_.get(); }
    ssl_st* tls() noexcept { return tls_->native(); }

    transport::socket_address address;
    std::string certificate;
    http3::testing::http3_server script;
    bool is_mute = false;    ///< what comes is lost, and so is what it says
    bool automatic = false;  ///< answers every request with its target

private:
    void on_io(reactor::readiness) override {
        std::array<char, 65'536> buffer;
        for (;;) {
            client_.size = sizeof client_.storage;
            const ssize_t size =
                ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, client_.get(), &client_.size);
            if (size < 0) break;
            if (is_mute) continue;
            const std::string_view datagram(buffer.data(), static_cast<std::size_t>(size));
            if (!quic_) {
                quic_ = single_.greet(tls_->native(), {bytes(address), bytes(client_)}, datagram, script, limits_,
                                      reactor_.now());
                if (!quic_) continue;
                script.ride(*quic_);
            }
            (void)quic_->receive(datagram, 0, reactor_.now());
        }
        reactor_.rearm(socket_.get(), true, false);
        answer_all();
        say();
    }
    void on_timer_expired() {
        (void)quic_->on_deadline(reactor_.now());
        say();
    }
    void answer_all() {
        if (!automatic) return;
        for (auto& [id, request] : script.requests) {
            if (request.ended && !std::exchange(answered_[id], true))
                script.answer(id, {{":status", "200"}}, request.field(":path"));
        }
    }
    static std::string bytes(const transport::socket_address& of) {
        return {reinterpret_cast<const char*>(of.get()), of.size};
    }

    reactor::reactor& reactor_;
    quic::limits limits_;
    quic::testing::single_server single_;
    std::unique_ptr<transport::quic_tls> tls_;
    reactor::descriptor socket_;
    std::unique_ptr<quic::machine> quic_;
    transport::socket_address client_;
    std::map<quic::stream_id, bool> answered_;
    reactor::member_timer<http3_host, &http3_host::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection::testing
