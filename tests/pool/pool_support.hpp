#pragma once
/// \file
/// What the pool tests share: a dialer whose dials end when and how the test says, servers that answer when told to, and a
/// pool between them on a simulated clock.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "connection/connection_support.hpp"
#include "pool/pool.hpp"

namespace pabal::pool::testing {

using namespace std::chrono_literals;
using connection::testing::make_get;
using connection::testing::recording_exchange;
using connection::testing::recording_ptr;

/// The far end of one dialled connection. Its responses say which connection it is: the first one dialled is "0".
class server {
public:
    server(std::size_t number, transport::transport_ptr end) : number_(number), peer_(std::move(end)) {
        peer_.on_heard = [this] {
            if (automatic) answer();
        };
    }
    /// The whole requests that came and are not answered yet.
    std::size_t unanswered() const {
        std::size_t came = 0;
        for (auto at = peer_.heard.find("\r\n\r\n"); at != std::string::npos; at = peer_.heard.find("\r\n\r\n", at + 4))
            ++came;
        return came - answered_;
    }
    void answer(bool close = false) {
        for (; unanswered() > 0; ++answered_) {
            const std::string body = std::to_string(number_);
            peer_.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                      (close ? "\r\nConnection: close" : "") + "\r\n\r\n" + body);
        }
    }
    void hang_up() { peer_.hang_up(); }
    bool is_connected() const { return peer_.is_connected() && !peer_.saw_end(); }

    bool automatic = true;  ///< answers what comes

private:
    std::size_t number_;
    std::size_t answered_ = 0;
    connection::testing::peer peer_;
};

class fake_dialer final : public dial::dialer {
public:
    explicit fake_dialer(connection::testing::world& world) : world_(world) {}

    struct dialling final : dial::attempt {
        dialling(fake_dialer& owner, dial::target where, const dial::dial_limits& bounds, dial::dial_observer& told)
            : dialer(owner), to(std::move(where)), limits(bounds), observer(told) {}
        ~dialling() override { std::erase(dialer.pending, this); }
        fake_dialer& dialer;
        dial::target to;
        dial::dial_limits limits;
        dial::dial_observer& observer;
    };

    std::unique_ptr<dial::attempt> dial(const dial::target& to, const dial::dial_limits& limits,
                                        dial::dial_observer& observer) override {
        auto made = std::make_unique<dialling>(*this, to, limits, observer);
        pending.push_back(made.get());
        return made;
    }
    /// Lets the `index`th dial that is under way succeed. Returns the server that was reached.
    server& connect(std::size_t index = 0, bool automatic = true) {
        dialling& dialled = take(index);
        auto pair = world_.pair();
        servers.push_back(std::make_unique<server>(servers.size(), std::move(pair.second)));
        servers.back()->automatic = automatic;
        server& reached = *servers.back();
        dialled.observer.on_dialed(std::move(pair.first), {});
        return reached;
    }
    void fail(std::size_t index = 0) {
        take(index).observer.on_dial_failed(
            {error_code::connection_refused, phase::connect, culprit::peer, 0, "nobody listens"});
    }
    std::vector<std::string> hosts() const {
        std::vector<std::string> all;
        for (const dialling* each : pending) all.push_back(each->to.host);
        return all;
    }

    std::vector<dialling*> pending;  ///< under way, oldest first
    std::vector<std::unique_ptr<server>> servers;

private:
    dialling& take(std::size_t index) {
        dialling* taken = pending.at(index);
        std::erase(pending, taken);
        return *taken;
    }
    connection::testing::world& world_;
};

/// What the pool says of itself.
struct counts {
    std::size_t open = 0;
    std::size_t idle = 0;
    std::size_t dialling = 0;
    std::size_t waiting = 0;
    bool operator==(const counts&) const = default;
    friend void PrintTo(const counts& it, std::ostream* out) {
        *out << it.open << " open, " << it.idle << " idle, " << it.dialling << " dialling, " << it.waiting
             << " waiting";
    }
};

class pool_test : public ::testing::Test {
protected:
    void make(const limits& bounds) { pool_ = std::make_unique<pool>(environment_, dialer_, bounds); }
    void TearDown() override {
        pool_.reset();
        world_.settle();
        dialer_.servers.clear();
        world_.settle();
        EXPECT_TRUE(dialer_.pending.empty());
        EXPECT_EQ(recording_exchange::alive, 0) << "an exchange was leaked";
    }

    static dial::target target(std::string host) { return {.host = std::move(host), .port = 80}; }
    recording_ptr submit(const std::string& host = "a", std::chrono::milliseconds pool_limit = 0ms) {
        auto made = make_get();
        made->limits.pool = pool_limit;
        pool_->submit(made, target(host));
        return made;
    }
    /// Submits, dials if need be, and waits for the answer.
    std::string fetch(const std::string& host = "a") {
        const auto got = submit(host);
        if (!dialer_.pending.empty()) dialer_.connect(dialer_.pending.size() - 1);
        world_.settle();
        return got->succeeded() ? got->body : got->failure ? std::string(name_of(got->failure->code)) : "nothing";
    }
    void cancel(const recording_ptr& exchange) {
        exchange->given_up = true;
        if (auto* answering = exchange->answered_by()) answering->cancel(*exchange);
    }
    server& server_at(std::size_t index) { return *dialer_.servers.at(index); }
    counts now() const {
        return {pool_->open_connections(), pool_->idle_connections(), pool_->dialling(), pool_->waiting()};
    }

    connection::testing::world world_{connection::testing::path{.name = "whole"}};
    std::array<char, 4096> scratch_{};
    connection::environment environment_{world_.reactor(), scratch_};
    fake_dialer dialer_{world_};
    std::unique_ptr<pool> pool_ = std::make_unique<pool>(environment_, dialer_, limits{});
};

}  // namespace pabal::pool::testing
