#pragma once
/// \file
/// What the dial tests share: a reactor on the real system, who asks for a connection, a DNS server of our own, and counting
/// what is left open.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dial/cares_resolver.hpp"
#include "dial/dialer.hpp"
#include "reactor/descriptor.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial::testing {

using namespace std::chrono_literals;

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) ++count;
    return count;
}

/// Turns the reactor until `done`, or for `patience`.
template <class Done>
bool turn_until(reactor::reactor& reactor, Done&& done, std::chrono::milliseconds patience = 5s) {
    const auto end = reactor::clock::now() + patience;
    while (!done()) {
        if (reactor::clock::now() > end) return false;
        reactor.turn(5ms);
    }
    return true;
}

/// Who asked for a connection.
struct caller final : dial_observer {
    transport::transport_ptr connected;
    std::optional<error> failure;
    dial_timings timings;
    std::function<void()> then;
    std::optional<address> has;  ///< where it is connected to already
    bool reached = false;
    bool inside_dial = false;  ///< set while the call that begins the dial runs: nobody is told then
    int calls = 0;

    void on_dialed(transport::transport_ptr transport, const dial_timings& took) override {
        EXPECT_FALSE(inside_dial);
        ++calls;
        connected = std::move(transport);
        timings = took;
        if (then) then();
    }
    bool is_reached(const address& peer, bool over_quic) override { return peer == has && !over_quic; }
    void on_reached() override {
        EXPECT_FALSE(inside_dial);
        ++calls;
        reached = true;
    }
    void on_dial_failed(error why) override {
        EXPECT_FALSE(inside_dial);
        ++calls;
        failure = std::move(why);
        if (then) then();
    }
    bool done() const { return calls > 0; }
};

/// A name server on 127.0.0.1 that answers by a table.
class fake_name_server final : private reactor::io_watcher {
public:
    struct zone {
        std::vector<std::string> ipv4;
        std::vector<std::string> ipv6;
        std::uint32_t time_to_live = 60;
        int response_code = 0;     ///< 3: NXDOMAIN, 2: SERVFAIL
        bool silent = false;       ///< questions are not answered
        bool silent_ipv6 = false;  ///< questions for IPv6 are not answered
        std::string alias;         ///< a CNAME with `alias_time_to_live` in front of the addresses
        std::uint32_t alias_time_to_live = 60;
        std::vector<std::string> services;  ///< HTTPS records' data: priority, target, parameters
    };

    explicit fake_name_server(reactor::reactor& reactor)
        : reactor_(reactor), socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        reactor::make_non_blocking(socket_.get());
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
        socklen_t size = sizeof address;
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        EXPECT_TRUE(reactor_.watch(socket_.get(), *this));
    }
    ~fake_name_server() { reactor_.unwatch(socket_.get(), *this); }

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    std::map<std::string, zone> zones;
    std::vector<std::string> questions;  ///< "A name", "AAAA name", "HTTPS name"

    /// The data of an HTTPS record; `parameters` as they go over the wire.
    static std::string service(std::uint16_t priority, std::string_view target, const std::string& parameters = {}) {
        return number(priority, 2) + labels(target) + parameters;
    }
    static std::string parameter(std::uint16_t key, const std::string& value) {
        return number(key, 2) + number(static_cast<std::uint32_t>(value.size()), 2) + value;
    }

    std::size_t asked(const std::string& question) const {
        return static_cast<std::size_t>(std::count(questions.begin(), questions.end(), question));
    }

private:
    void on_io(reactor::readiness) override {
        char packet[1500];
        sockaddr_storage from{};
        for (;;) {
            socklen_t size = sizeof from;
            const ssize_t got =
                ::recvfrom(socket_.get(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (got < 0) break;
            const std::string answer = answer_to({packet, static_cast<std::size_t>(got)});
            if (!answer.empty())
                ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
        }
        reactor_.rearm(socket_.get(), true, false);
    }

    static std::string number(std::uint32_t value, int bytes) {
        std::string text;
        while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
        return text;
    }
    static std::string labels(std::string_view name) {
        std::string text;
        while (!name.empty()) {
            const std::size_t end = std::min(name.find('.'), name.size());
            text += static_cast<char>(end);
            text += name.substr(0, end);
            name.remove_prefix(std::min(end + 1, name.size()));
        }
        return text + '\0';
    }

    std::string answer_to(std::string_view packet) {
        std::string name;
        std::size_t at = 12;
        while (at < packet.size() && packet[at] != 0) {
            const auto size = static_cast<std::uint8_t>(packet[at]);
            name += (name.empty() ? "" : ".") + std::string{packet.substr(at + 1, size)};
            at += 1U + size;
        }
        const std::string_view question = packet.substr(12, at + 5 - 12);
        const bool is_ipv6 = packet[at + 2] == 28;
        const bool is_https = packet[at + 2] == 65;
        questions.push_back((is_https ? "HTTPS " : is_ipv6 ? "AAAA " : "A ") + name);
        const auto found = zones.find(name);
        zone answered = found == zones.end() ? zone{.response_code = 3} : found->second;
        if (answered.silent || (is_ipv6 && answered.silent_ipv6)) return {};
        std::string records;
        std::uint32_t count = 0;
        std::string owner = "\xc0\x0c";
        if (!answered.alias.empty()) {
            const std::string alias = labels(answered.alias);
            records += owner + number(5, 2) + number(1, 2) + number(answered.alias_time_to_live, 4) +
                       number(static_cast<std::uint32_t>(alias.size()), 2) + alias;
            owner = alias;
            ++count;
        }
        const std::vector<std::string> no_addresses;
        for (const std::string& data : is_https ? answered.services : no_addresses) {
            records += owner + number(65, 2) + number(1, 2) + number(answered.time_to_live, 4) +
                       number(static_cast<std::uint32_t>(data.size()), 2) + data;
            ++count;
        }
        for (const std::string& each : is_https ? no_addresses : is_ipv6 ? answered.ipv6 : answered.ipv4) {
            char bytes[16];
            ::inet_pton(is_ipv6 ? AF_INET6 : AF_INET, each.c_str(), bytes);
            records += owner + number(is_ipv6 ? 28 : 1, 2) + number(1, 2) + number(answered.time_to_live, 4) +
                       number(is_ipv6 ? 16 : 4, 2) + std::string(bytes, is_ipv6 ? 16 : 4);
            ++count;
        }
        return std::string{packet.substr(0, 2)} + number(0x8180U | static_cast<unsigned>(answered.response_code), 2) +
               number(1, 2) + number(count, 2) + number(0, 4) + std::string{question} + records;
    }

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    std::uint16_t port_ = 0;
};

}  // namespace pabal::dial::testing
