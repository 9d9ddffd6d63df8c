#pragma once
/// \file
/// A network in memory under a whole engine: dials that take time, fail or never end, wires that misbehave, and peers that
/// are real server connections or say exactly what a test wants. With a simulated poller hours pass in microseconds.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/engine.hpp"
#include "client/session.hpp"
#include "connection/server_connection.hpp"
#include "dial/dialer.hpp"
#include "reactor/simulated_poller.hpp"
#include "support/scripted_handler.hpp"
#include "transport/memory_transport.hpp"

namespace pabal::testing {

using namespace std::chrono_literals;

/// What becomes of one dial.
struct simulated_route {
    transport::memory_wire to_server;
    transport::memory_wire to_client;
    reactor::duration delay{0};
    std::optional<error> failure;
};

/// Connects to `accept` over memory transports, by way of `route`. TLS is not spoken: a target with it is reached plainly.
class simulated_dialer final : public dial::dialer {
public:
    std::unique_ptr<dial::attempt> dial(const dial::target& to, const dial::dial_limits& limits,
                                        dial::dial_observer& observer) override {
        dialled.push_back(to);
        auto made = std::make_unique<attempt>(*this, to, observer, route ? route(to) : simulated_route{});
        if (limits.connect.count() > 0 && made->way.delay > limits.connect) {
            made->way.delay = limits.connect;
            made->way.failure =
                error{error_code::timed_out, phase::connect, culprit::network, 0, "simulated connect timeout"};
        }
        reactor->set_timer_in(*made, made->way.delay);
        return made;
    }

    reactor::reactor* reactor = nullptr;  ///< set before the first dial
    std::function<simulated_route(const dial::target&)> route;
    std::function<void(const dial::target&, transport::transport_ptr)> accept;
    std::vector<dial::target> dialled;
    int attempts = 0;  ///< alive

    ~simulated_dialer() override {
        if (watched_) *watched_ = attempts;
    }
    /// Where to note how many attempts were alive when the dialer died.
    void watch_death(int& left) { watched_ = &left; }

private:
    struct attempt final : dial::attempt, reactor::timer {
        attempt(simulated_dialer& by, dial::target to, dial::dial_observer& told, simulated_route goes)
            : way(std::move(goes)), dialer(by), target(std::move(to)), observer(told) {
            ++dialer.attempts;
        }
        ~attempt() override {
            cancel();
            --dialer.attempts;
        }
        void on_timer() override {
            if (way.failure) return observer.on_dial_failed(*way.failure);
            auto pair = transport::make_memory_pair(*dialer.reactor, way.to_server, way.to_client);
            dialer.accept(target, std::move(pair.second));
            observer.on_dialed(std::move(pair.first), {});
        }
        simulated_route way;
        simulated_dialer& dialer;
        dial::target target;
        dial::dial_observer& observer;
    };
    int* watched_ = nullptr;
};

/// A peer that does exactly what it is told.
class scripted_peer final : private transport::transport_observer {
public:
    explicit scripted_peer(transport::transport_ptr end) : transport_(std::move(end)) { transport_->observe(this); }

    void send(std::string_view bytes) {
        unsent_ += bytes;
        flush();
    }
    void finish() { transport_->shutdown_write(); }
    void close() {
        if (transport_) transport_->observe(nullptr);
        transport_.reset();
    }
    bool is_closed() const noexcept { return !transport_; }

    std::string received;
    bool ended = false;
    std::function<void(scripted_peer&)> on_received;

private:
    void on_transport_ready(transport::readiness) override {
        flush();
        char buffer[4096];
        while (transport_) {
            auto got = transport_->read(buffer);
            if (!got || got->what == transport::io_outcome::kind::end) ended = true;
            if (!got || got->what != transport::io_outcome::kind::moved) return;
            received.append(buffer, got->size);
            if (on_received) on_received(*this);
        }
    }
    void flush() {
        while (transport_ && !unsent_.empty()) {
            const std::string_view piece = unsent_;
            auto sent = transport_->write({&piece, 1});
            if (!sent || sent->what != transport::io_outcome::kind::moved) return;
            unsent_.erase(0, sent->size);
        }
    }
    transport::transport_ptr transport_;
    std::string unsent_;
};

/// Serves a handler over whatever transports it is given.
class simulated_server final : private connection::server_connection_observer {
public:
    simulated_server(reactor::reactor& runs_on, handler& answers, const connection::server_limits& limits = {})
        : environment_{runs_on, scratch_, answers, limits, {}} {}
    ~simulated_server() { close(connection::server_close_reason::server_stopped); }

    void accept(transport::transport_ptr accepted) {
        auto* made = new connection::server_connection(environment_, std::move(accepted), *this);
        connections_.push_back(*made);
        ++open;
        made->start();
    }
    void close(connection::server_close_reason reason) {
        while (!connections_.empty()) connections_.front().close(reason);
    }
    /// Every connection ends after what it is doing.
    void finish() {
        connections_.for_each([](connection::server_connection& each) { each.finish(); });
    }

    std::size_t open = 0;
    std::vector<connection::server_close_reason> closed;

private:
    void on_closed(connection::server_connection& gone, connection::server_close_reason reason) override {
        static_cast<base::list_hook<connection::served>&>(gone).unlink();
        environment_.reactor.retire(std::unique_ptr<connection::server_connection>(&gone));
        --open;
        closed.push_back(reason);
    }
    std::vector<char> scratch_ = std::vector<char>(64 * 1024);
    connection::server_environment environment_;
    base::intrusive_list<connection::server_connection, connection::served> connections_;
};

/// A client engine and its session on a simulated network, with one server behind every address.
class simulated_client {
public:
    explicit simulated_client(const session_limits& limits = {})
        : clock(new reactor::simulated_poller),
          network(new simulated_dialer),
          engine(std::make_unique<client::engine>(std::unique_ptr<reactor::poller>(clock),
                                                  std::unique_ptr<dial::dialer>(network), limits)),
          session(std::make_unique<client::session>(*engine, limits)),
          handler(engine->reactor()),
          server(engine->reactor(), handler) {
        network->reactor = &engine->reactor();
        network->accept = [this](const dial::target&, transport::transport_ptr end) { server.accept(std::move(end)); };
    }
    reactor::reactor& reactor() noexcept { return engine->reactor(); }

    /// Turns until `done`, or for `patience` of simulated time.
    template <class Done>
    bool run_until(Done&& done, reactor::duration patience = 1h) {
        const auto end = clock->now() + patience;
        while (!done()) {
            if (clock->now() > end) return false;
            reactor().turn(100ms);
        }
        return true;
    }
    void run_for(reactor::duration time) {
        const auto end = clock->now() + time;
        while (clock->now() < end) reactor().turn(end - clock->now());
        for (int quiet = 0; quiet < 8; ++quiet) reactor().turn(0ms);
    }

    reactor::simulated_poller* clock;
    simulated_dialer* network;
    std::unique_ptr<client::engine> engine;
    std::unique_ptr<client::session> session;
    scripted_handler handler;
    simulated_server server;
};

}  // namespace pabal::testing
