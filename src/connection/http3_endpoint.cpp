#include "connection/http3_endpoint.hpp"

#include <utility>

#include <openssl/rand.h>

#include "base/fork.hpp"

namespace pabal::connection {

namespace {

/// Batches that are received in one go; whoever else has something to do gets his turn in between.
constexpr int max_batches = 16;
constexpr std::chrono::milliseconds answers_period{100};

}  // namespace

http3_endpoint::hash::hash() {
    const base::no_fork whole;  // BoringSSL has locks of its own
    RAND_bytes(reinterpret_cast<std::uint8_t*>(key.data()), sizeof key);
}

result<std::unique_ptr<http3_endpoint>> http3_endpoint::listen(const server_environment& environment,
                                                               std::string_view host, std::uint16_t port,
                                                               transport::tls_context_ptr tls,
                                                               const http3_endpoint_limits& limits,
                                                               const quic::conduct& conduct) {
    std::unique_ptr<http3_endpoint> made(new http3_endpoint(environment, std::move(tls), limits, conduct));
    auto socket = transport::udp_listener::bind(environment.reactor, host, port, *made);
    if (!socket) return std::move(socket).error();
    made->socket_ = std::move(*socket);
    return made;
}

http3_endpoint::~http3_endpoint() { close(server_close_reason::server_stopped); }

// --- Receiving -------------------------------------------------------------------------------------------------------

void http3_endpoint::receive() {
    for (int batch = 0; batch < max_batches; ++batch) {
        const auto got = socket_->receive([this](const transport::datagram_arrival& arrived) { take(arrived); });
        if (got.what != transport::io_outcome::kind::moved) return;
    }
    environment_.reactor.defer(*this);
}

void http3_endpoint::take(const transport::datagram_arrival& arrived) {
    const auto destination = quic::stateless_server::destination_of(arrived.bytes);
    if (!destination) return;
    const auto known = routes_.find(*destination);
    if (known != routes_.end()) return known->second->receive(arrived);
    greet(arrived);
}

/// A datagram of no connection.
void http3_endpoint::greet(const transport::datagram_arrival& arrived) {
    quic::path path;
    assign_bytes(path.local, *arrived.to);
    assign_bytes(path.remote, *arrived.from);
    const reactor::time_point now = environment_.reactor.now();
    auto judged = stateless_.judge(arrived.bytes, path.remote, unproven_ >= limits_.unproven, now);
    answer(arrived, judged.answer);
    if (!judged.begins || finishing_ || count_ >= limits_.connections) return;
    auto made = http3_server_connection::accept(*this, *judged.begins, path);
    if (!made) return;  // out of memory: the client tries again
    http3_server_connection& begun = *made->release();
    connections_.push_back(begun);
    ++count_;
    ++unproven_;
    begun.receive(arrived);
    if (begun.asks_for_retry()) answer(arrived, stateless_.judge(arrived.bytes, path.remote, true, now).answer);
}

void http3_endpoint::answer(const transport::datagram_arrival& arrived, std::string_view said) {
    if (!said.empty() && may_answer()) (void)socket_->send(said, said.size(), 0, {arrived.from, arrived.to});
}

/// What answers cost is bounded whoever asks; those who are left without one ask again.
bool http3_endpoint::may_answer() {
    const reactor::time_point now = environment_.reactor.now();
    if (now - answers_counted_from_ >= answers_period) {
        answers_counted_from_ = now;
        answered_ = 0;
    }
    return ++answered_ <= limits_.answers;
}

// --- Connections -----------------------------------------------------------------------------------------------------

void http3_endpoint::unroute(std::string_view id) {
    if (const auto known = routes_.find(id); known != routes_.end()) routes_.erase(known);
}

void http3_endpoint::on_closed(server_protocol_connection& closed, server_close_reason) {
    auto& gone = static_cast<http3_server_connection&>(closed);
    static_cast<base::list_hook<endpoint_connection>&>(gone).unlink();
    --count_;
    environment_.reactor.retire(std::unique_ptr<http3_server_connection>(&gone));
}

void http3_endpoint::finish() {
    finishing_ = true;
    base::intrusive_list<http3_server_connection, endpoint_connection> all;
    all.splice_back(connections_);
    while (!all.empty()) {
        http3_server_connection& next = all.pop_front();
        connections_.push_back(next);
        next.finish();
    }
}

void http3_endpoint::close(server_close_reason reason) {
    while (!connections_.empty()) connections_.front().close(reason);
}

}  // namespace pabal::connection
