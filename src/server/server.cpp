#include <atomic>
#include <thread>
#include <vector>

#include <pabal/server.hpp>

#include "base/fork.hpp"
#include "connection/server_connection.hpp"
#include "reactor/reactor.hpp"
#include "transport/listener.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_transport.hpp"

namespace pabal {

namespace {

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
        : options(given), asked(answers), reactor(std::move(poller)) {}
    ~state() {
        listening.reset();
        while (!connections.empty()) connections.front().close(connection::server_close_reason::server_stopped);
        while (!delayed.empty()) delete &delayed.front();
    }

    void on_accepted(transport::transport_ptr accepted) override {
        if (tls) {
            auto secured = transport::tls_transport::accept(std::move(accepted), tls);
            if (!secured) return;  // out of memory for a TLS connection: the peer sees a closed one
            accepted = std::move(*secured);
        }
        auto* made = new connection::server_connection(reactor, scratch, std::move(accepted), asked, *this);
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
        const auto until = reactor::clock::now() + options.graceful_stop;
        while (!connections.empty() && reactor::clock::now() < until) reactor.turn(until - reactor::clock::now());
        while (!connections.empty()) connections.front().close(connection::server_close_reason::server_stopped);
        reactor.turn(reactor::duration::zero());
    }

    server_options options;
    handler& asked;
    reactor::reactor reactor;
    std::vector<char> scratch = std::vector<char>(64 * 1024);
    transport::tls_context_ptr tls;
    std::unique_ptr<transport::listener> listening;
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
    if (options.tls) {
        auto context = transport::tls_context::make_server(*options.tls);
        if (!context) return std::move(context).error();
        made->tls = std::move(*context);
    }
    auto listening = options.unix_path.empty()
                         ? transport::listener::tcp(made->reactor, options.host, options.port, *made)
                         : transport::listener::unix_socket(made->reactor, options.unix_path, *made);
    if (!listening) return std::move(listening).error();
    made->listening = std::move(*listening);
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
