#pragma once
/// \file
/// What the tests of calls share: an observer that notes everything, and the way from a URL to a finished call.

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "client/call.hpp"
#include "support/simulated_network.hpp"

namespace pabal::client::testing {

using namespace pabal::testing;

inline call_request to(std::string_view text, std::string method = "GET", std::string body = {}) {
    call_request asked;
    asked.method = std::move(method);
    asked.location = url::parse(text).value();
    asked.body = std::move(body);
    return asked;
}

/// Notes what it is told; gives a streamed body piece by piece; reads a streamed response as it comes, if asked to.
struct recorder final : call_observer {
    void on_call_head(call& of) override {
        ++heads;
        if (reads) read_all(of);
    }
    void on_call_readable(call& of) override {
        ++readables;
        if (reads) read_all(of);
    }
    void on_call_done(call&) override { ++done; }
    result<read_outcome> read_call_body(call&, std::span<char> buffer) override {
        if (body_failure) return *body_failure;
        if (given == body.size()) {
            if (body_is_endless) return read_outcome{};
            return read_outcome{read_outcome::kind::end, 0};
        }
        const std::size_t size = std::min({buffer.size(), body.size() - given, piece});
        std::memcpy(buffer.data(), body.data() + given, size);
        given += size;
        return read_outcome{read_outcome::kind::data, size};
    }
    const fields* call_trailers(call&) override { return trailers.empty() ? nullptr : &trailers; }
    bool rewind_call_body(call&) override {
        ++rewinds;
        if (rewindable) given = 0;
        return rewindable;
    }
    void read_all(call& of) {
        std::string buffer(buffer_size, '\0');
        while (true) {
            auto got = of.read({buffer.data(), buffer.size()});
            if (!got) {
                read_failure = got.error();
                return;
            }
            if (got->what == read_outcome::kind::end) {
                ended = true;
                return;
            }
            if (got->what == read_outcome::kind::would_block) return;
            received.append(buffer.data(), got->size);
        }
    }

    int heads = 0;
    int readables = 0;
    int done = 0;
    bool reads = true;
    std::size_t buffer_size = 4096;
    std::string received;
    bool ended = false;
    std::optional<error> read_failure;

    std::string body;  ///< of a streamed request
    fields trailers;   ///< after it
    std::size_t piece = 1000;
    std::size_t given = 0;
    bool body_is_endless = false;
    bool rewindable = false;
    int rewinds = 0;
    std::optional<error> body_failure;
};

class calling : public ::testing::Test {
protected:
    call_ptr start(call_request asked) {
        auto started = base::make_counted<call>(std::move(asked), &watcher);
        started->start(*world.session);
        return started;
    }
    call_ptr send(call_request asked) {
        const int before = watcher.done;
        auto sent = start(std::move(asked));
        EXPECT_TRUE(world.run_until([&] { return sent->is_done(); }));
        EXPECT_EQ(watcher.done, before + 1);
        return sent;
    }
    /// Connections go to peers instead of the server.
    void use_peers() {
        world.network->accept = [this](const dial::target&, transport::transport_ptr end) {
            peers.emplace_back(std::move(end));
            if (on_peer) on_peer(peers.back());
        };
    }
    const seen_request& last() const { return world.handler.seen.back(); }

    recorder watcher;
    simulated_client world;
    std::function<void(scripted_peer&)> on_peer;
    std::deque<scripted_peer> peers;
};

/// Answers given by the server of the simulated world, or byte by byte by a peer.
class scripted_calling : public calling {
protected:
    void answer(scripted_answer given) {
        world.handler.answer = [given = std::move(given)](const seen_request&) { return given; };
    }
    /// A peer that says the next of `replies` to each request it sees on any connection, and closes when told to.
    void reply_by_peer(std::vector<std::string> replies) {
        use_peers();
        on_peer = [this, replies = std::move(replies)](scripted_peer& peer) {
            peer.on_received = [this, replies](scripted_peer& at) {
                if (!at.received.ends_with("\r\n\r\n")) return;
                at.received.clear();
                ++requests;
                const std::string& reply = replies.at(std::min(requests, replies.size()) - 1);
                if (reply == "close") return at.close();
                at.send(reply);
            };
        };
    }
    std::size_t requests = 0;
    std::vector<transport::transport_ptr> kept;  ///< server ends that nobody reads
};

inline std::string body_of(call& finished) { return std::string(finished.body().view()); }
inline std::string failure_of(const call& finished) {
    if (!finished.failure()) return "none";
    return std::string(name_of(finished.failure()->code)) + " in " + std::string(name_of(finished.failure()->where)) +
           " by " + std::string(name_of(finished.failure()->whose));
}

}  // namespace pabal::client::testing
