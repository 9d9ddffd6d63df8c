#include <atomic>
#include <thread>
#include <vector>

#include <pabal/server.hpp>

#include "base/fork.hpp"
#include "connection/http3_endpoint.hpp"
#include "connection/qlog_folder.hpp"
#include "connection/server_connection.hpp"
#include "protocol/http/alternative_services.hpp"
#include "reactor/reactor.hpp"
#include "transport/listener.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_transport.hpp"

namespace pabal {

namespace {

constexpr int max_tries_for_port = 32;

/// One `after`; frees itself when it has run, or goes with the server.
class delayed_work final : public reactor::timer, public base::list_hook<delayed_work> {
public:
    explicit delayed_work(std::function<void()> wanted) : work_(std::move(wanted)) {}
    void on_timer() override {
        const std::unique_ptr<delayed_work> done(this);
        done->work_();
    }

private:
    std::function<void()> work_;
};

}  // namespace

struct server::state final : transport::accept_observer, connection::server_connection_observer {
    state(handler& answers, const server_options& given, std::unique_ptr<reactor::poller> poller)
        : options(given),
          reactor(std::move(poller)),
          environment{reactor, scratch, answers, {}, {}},
          quic_environment{reactor, scratch, answers, {}, {}} {}
    ~state() {
        listening.reset();
        quic.reset();
        while (!connections.empty()) connections.front().close(connection::server_close_reason::server_stopped);
        while (!delayed.empty()) delete &delayed.front();
    }

    void on_accepted(transport::transport_ptr accepted) override {
        if (tls) {
            auto secured = transport::tls_transport::accept(std::move(accepted), tls);
            if (!secured) return;  // out of memory for a TLS connection: the peer sees a closed one
            accepted = std::move(*secured);
        }
        auto* made = new connection::server_connection(environment, std::move(accepted), *this);
        connections.push_back(*made);
        if (++count >= options.max_connections) listening->pause();
        made->start();
    }

    void on_closed(connection::server_connection& closed, connection::server_close_reason) override {
        static_cast<base::list_hook<connection::served>&>(closed).unlink();
        reactor.retire(std::unique_ptr<connection::server_connection>(&closed));
        --count;
        if (listening && count < options.max_connections) listening->resume();
    }

    void run() {
        running_on = std::this_thread::get_id();
        while (!stopping) reactor.turn(std::nullopt);
        listening.reset();
        connections.for_each([](connection::server_connection& each) { each.finish(); });
        if (quic) quic->finish();
        const auto until = reactor::clock::now() + options.graceful_stop;
        while (is_serving() && reactor::clock::now() < until) reactor.turn(until - reactor::clock::now());
        while (!connections.empty()) connections.front().close(connection::server_close_reason::server_stopped);
        quic.reset();
        reactor.turn(reactor::duration::zero());
    }

    bool is_serving() const noexcept { return !connections.empty() || (quic && quic->connections() > 0); }

    /// Both sockets have one port: of those that the system chooses for TCP, one that is free for UDP as well.
    result<void> listen() {
        if (!options.unix_path.empty())
            return keep(transport::listener::unix_socket(reactor, options.unix_path, *this));
        for (int tries = 1;; ++tries) {
            if (auto bound = keep(transport::listener::tcp(reactor, options.host, options.port, *this)); !bound)
                return bound;
            if (!quic_tls) return {};
            auto made = connection::http3_endpoint::listen(
                quic_environment, options.host, listening->port(), quic_tls,
                {.connections = options.max_connections, .early_data = options.early_data}, conduct);
            if (made) {
                quic = std::move(*made);
                environment.alternatives = "h3=\":" + std::to_string(listening->port()) + "\"; ma=86400";
                return {};
            }
            if (options.port != 0 || tries == max_tries_for_port) return std::move(made).error();
        }
    }
    result<void> keep(result<std::unique_ptr<transport::listener>> made) {
        if (!made) return std::move(made).error();
        listening = std::move(*made);
        return {};
    }

    server_options options;
    reactor::reactor reactor;
    std::vector<char> scratch = std::vector<char>(64 * 1024);
    connection::server_environment environment;
    connection::server_environment quic_environment;  ///< says of no other way: there is none that is better
    transport::tls_context_ptr tls;
    transport::tls_context_ptr quic_tls;
    quic::conduct conduct;
    std::unique_ptr<transport::listener> listening;
    std::unique_ptr<connection::http3_endpoint> quic;
    base::intrusive_list<connection::server_connection, connection::served> connections;
    base::intrusive_list<delayed_work, delayed_work> delayed;
    std::size_t count = 0;
    std::uint16_t port = 0;
    std::string address;
    std::atomic<bool> stopping = false;
    std::atomic<std::thread::id> running_on;
    std::thread thread;
    base::birthplace born;
};

server::server(std::unique_ptr<state> made) : state_(std::move(made)) {}
server::~server() {
    if (state_->born.is_elsewhere()) base::abandon(state_);
    else stop();
}

result<std::unique_ptr<server>> server::make(handler& answers, const server_options& options) {
    auto poller = reactor::make_poller();
    if (!poller) return std::move(poller).error();
    auto made = std::make_unique<state>(answers, options, std::move(*poller));
    auto conduct = connection::conduct_of(options.quic);
    if (!conduct) return std::move(conduct).error();
    made->conduct = std::move(*conduct);
    if (options.tls) {
        auto context = transport::tls_context::make_server(*options.tls);
        if (!context) return std::move(context).error();
        made->tls = std::move(*context);
        if (options.http3 && options.unix_path.empty()) {
            tls_server_options over_quic = *options.tls;
            over_quic.application_protocols = {std::string(http::http3_protocol)};
            auto second = transport::tls_context::make_server(over_quic);
            if (!second) return std::move(second).error();
            made->quic_tls = std::move(*second);
        }
    }
    if (auto listening = made->listen(); !listening) return std::move(listening).error();
    made->port = made->listening->port();
    made->address = made->listening->address();
    return std::unique_ptr<server>(new server(std::move(made)));
}

std::uint16_t server::port() const noexcept { return state_->port; }
const std::string& server::address() const noexcept { return state_->address; }
void server::run() {
    if (!state_->born.is_elsewhere()) state_->run();
}
void server::start() {
    if (!state_->born.is_elsewhere()) state_->thread = std::thread([this] { state_->run(); });
}

void server::after(std::chrono::milliseconds delay, std::function<void()> work) {
    auto* made = new delayed_work(std::move(work));
    state_->delayed.push_back(*made);
    state_->reactor.set_timer_in(*made, delay);
}

void server::stop() {
    if (state_->born.is_elsewhere()) return;  // its thread and its sockets are the parent's
    state_->stopping = true;
    state_->reactor.wake();
    if (state_->running_on.load() == std::this_thread::get_id()) return;  // a handler's: nobody can wait for himself
    if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace pabal
