// What the other end may write on the streams of an HTTP/3 connection: to a server, or (bit 0 of the first byte) to a client that has
// asked for something. The rest is a script, one step after the other: which stream (bits 0 to 2: four of one direction, then four of
// both), how it goes on (bits 3 and 4: ends, is reset, is stopped, or nothing of that), how many bytes follow, and these bytes.
//
// QUIC is real, over a network that loses nothing and takes no time; keys are made once.
//
// Invariants:
//   - a stream hears of one head and one end, of nothing before the first and nothing after the last, nor after it was let go;
//   - heads, 1xx responses and unread bodies stay within their limits;
//   - a failure of the connection is the peer's, and printable;
//   - what is sent in answer is no more than a small multiple of what came.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>

#include "protocol/http3/machine.hpp"
#include "protocol/quic/machine.hpp"
#include "protocol/quic/stateless_server.hpp"
#include "transport/quic_tls.hpp"
#include "transport/throw_away_certificate.hpp"

namespace {

using namespace pabal;
using namespace std::chrono_literals;

void require(bool holds) {
    if (!holds) std::abort();
}

http3::limits narrow() {
    http3::limits bounds;
    bounds.max_head = 400;
    bounds.max_fields = 10;
    bounds.max_resets = 10;
    return bounds;
}

/// Either end of one exchange.
class exchange final : public http3::stream {
public:
    explicit exchange(http3::machine& machine) noexcept : machine_(machine) {}

    bool is_over = false;

    void on_informational(response_head&& head) override {
        require(!is_over && !has_head_ && ++informational_ <= http3::max_informational_responses);
        check(head.headers);
    }
    void on_response(response_head&& head) override {
        require(head.status >= 200 && head.status <= 999);
        begin(head.headers);
    }
    void on_request(request_head&& head, std::optional<std::uint64_t>) override {
        require(!head.method.empty() && !head.target.empty());
        begin(head.headers);
        response_head answer;
        answer.status = 200;
        require(machine_.respond(answer, true, *this).has_value());
    }
    void on_request_too_large() override {
        begin({});
        response_head answer;
        answer.status = 431;
        require(machine_.respond(answer, false, *this).has_value());
    }
    void on_data(std::string_view data) override {
        require(!is_over && has_head_ && !data.empty());
        machine_.consume(*this, data.size());
    }
    void on_end(fields&& trailers) override {
        require(!is_over && has_head_);
        check(trailers);
        is_over = true;
        machine_.release(*this);
    }
    void on_reset(error&& failure, bool) override {
        require(!is_over && failure.whose != culprit::local && !failure.message.empty());
        is_over = true;
    }
    result<read_outcome> read_body(std::span<char> buffer) override {
        const std::size_t size = std::min<std::size_t>(buffer.size(), 100 - given_);
        if (size == 0) return read_outcome{read_outcome::kind::end, 0};
        std::fill_n(buffer.begin(), size, 'u');
        given_ += size;
        return read_outcome{read_outcome::kind::data, size};
    }

private:
    void begin(const fields& headers) {
        require(!is_over && !std::exchange(has_head_, true));
        check(headers);
    }
    static void check(const fields& lines) {
        require(lines.size() <= narrow().max_fields + 1);  // Host stands for :authority
        std::size_t size = 0;
        for (const fields::field line : lines) {
            require(!line.name.empty() && line.name.front() != ':');
            size += line.name.size() + line.value.size();
        }
        require(size <= 2 * narrow().max_head);
    }

    http3::machine& machine_;
    bool has_head_ = false;
    unsigned informational_ = 0;
    std::size_t given_ = 0;
};

/// Writes on streams whatever it is told to.
class scribbler final : public quic::stream_user {
public:
    quic::machine* connection = nullptr;
    bool established = false;

    /// The `place`th of the streams; nullopt: the peer allows no more.
    std::optional<quic::stream_id> stream(unsigned place, bool may_open_both_ways) {
        if (const auto known = places_.find(place); known != places_.end()) return known->second;
        std::optional<quic::stream_id> opened;
        if (place < 4) opened = connection->open_one_way();
        else if (may_open_both_ways) opened = connection->open();
        else if (place - 4 < seen_.size()) opened = seen_[place - 4];
        if (opened) places_[place] = *opened;
        return opened;
    }
    void write(quic::stream_id id, std::string_view bytes, bool ends) {
        writing& it = written_[id];
        if (it.ends) return;
        it.bytes.push_back(std::make_unique<std::string>(bytes));
        it.ends = ends;
    }

    void on_established() override { established = true; }
    void on_stream_data(quic::stream_id id, std::string_view data, bool) override {
        if ((id & 2) == 0 && std::ranges::find(seen_, id) == seen_.end()) seen_.push_back(id);
        connection->extend(id, data.size());
        connection->extend_connection(data.size());
    }
    void on_stream_reset(quic::stream_id, std::uint64_t) override {}
    void on_stream_closed(quic::stream_id id, std::optional<std::uint64_t>, std::optional<std::uint64_t>) override {
        written_.erase(id);
    }
    void on_acknowledged(quic::stream_id, std::uint64_t) override {}
    void on_streams_allowed() override {}
    void on_window_open(quic::stream_id id) override { written_[id].blocked = false; }
    quic::outgoing next(std::span<std::string_view> pieces) override {
        for (auto& [id, it] : written_) {
            if (it.blocked || it.dead) continue;
            if (it.next < it.bytes.size()) {
                pieces[0] = std::string_view(*it.bytes[it.next]).substr(it.used);
                return {id, it.ends && it.next + 1 == it.bytes.size(), pieces[0].empty() ? 0U : 1U};
            }
        }
        return {};
    }
    void on_taken(quic::stream_id id, std::size_t size) override {
        writing& it = written_[id];
        if (it.next >= it.bytes.size()) return;
        it.used += size;
        if (it.used < it.bytes[it.next]->size()) return;
        it.used = 0;
        ++it.next;
    }
    void on_blocked(quic::stream_id id) override { written_[id].blocked = true; }
    void on_unwritable(quic::stream_id id) override { written_[id].dead = true; }

private:
    struct writing {
        std::vector<std::unique_ptr<std::string>> bytes;  ///< they stay where they are until the stream is closed
        std::size_t next = 0;
        std::size_t used = 0;
        bool ends = false;
        bool blocked = false;
        bool dead = false;
    };
    std::map<unsigned, quic::stream_id> places_;
    std::vector<quic::stream_id> seen_;
    std::map<quic::stream_id, writing> written_;
};

struct contexts {
    contexts() {
        const std::vector<std::string> names{"h"};
        const auto identity = transport::self_signed_certificate(names).value();
        tls_server_options serving;
        serving.certificate = identity.certificate;
        serving.key = identity.key;
        serving.application_protocols = {"h3"};
        server = transport::tls_context::make_server(serving).value();
        tls_options asking;
        asking.verify = false;
        client = transport::tls_context::make_client(asking).value();
    }
    transport::tls_context_ptr server, client;
};

std::string address(std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    return {reinterpret_cast<const char*>(&made), sizeof made};
}

/// The machine under test, the scribbler, and QUIC between them.
class world final : private http3::machine_observer, private quic::id_observer {
public:
    explicit world(bool tests_client) : tests_client_(tests_client) {
        static const contexts& keys = *new contexts;
        client_tls_ = transport::quic_tls::connect(keys.client, {"h", ""}).value();
        server_tls_ = transport::quic_tls::accept(keys.server).value();
        if (tests_client_) machine_ = std::make_unique<http3::machine>(narrow());
        else machine_ = std::make_unique<http3::machine>(static_cast<http3::machine_observer&>(*this), narrow());
        quic::stream_user& by = tests_client_ ? machine_->user() : peer_;
        client_ = quic::machine::client(client_tls_->native(), {address(1), address(2)}, by, {}, now_).value();
        if (tests_client_) machine_->ride(*client_);
        else peer_.connection = client_.get();
    }

    void run(std::string_view script) {
        turn();
        require(peer_.established);
        if (tests_client_) {
            head_.target = "/";
            head_.headers.append_valid("Host", "h");
            for (int count = 0; count < 4; ++count) {
                exchanges_.push_back(std::make_unique<exchange>(*machine_));
                require(machine_->request(head_, 0, *exchanges_.back()).has_value());
            }
            turn();
        }
        const std::size_t size = script.size();
        sent_ = 0;
        while (script.size() >= 2 && !failure()) {
            const auto how = static_cast<std::uint8_t>(script[0]);
            const std::size_t bytes = std::min<std::size_t>(static_cast<std::uint8_t>(script[1]), script.size() - 2);
            if (const auto id = peer_.stream(how & 7U, !tests_client_)) {
                const unsigned then = how >> 3U & 3U;
                peer_.write(*id, script.substr(2, bytes), then == 1);
                turn();
                if (then == 2) peer_.connection->reset(*id, how);
                if (then == 3) peer_.connection->stop(*id, how);
            }
            script.remove_prefix(2 + bytes);
            turn();
        }
        if (const auto& why = failure()) {
            require(why->whose == culprit::peer);
            for (const char byte : why->message) require(byte >= ' ' && byte < 0x7F);
        }
        require(sent_ <= 200'000 + 100 * size);
        for (const auto& each : exchanges_) {
            if (!each->is_over) machine_->release(*each);
        }
    }

private:
    http3::stream* on_request_begun() override {
        exchanges_.push_back(std::make_unique<exchange>(*machine_));
        return exchanges_.back().get();
    }
    void on_new_id(std::string_view) override {}
    void on_retired_id(std::string_view) override {}

    const std::optional<error>& failure() { return (tests_client_ ? client_ : server_)->failure(); }

    /// Until neither has anything to say.
    void turn() {
        for (int times = 0; times < 100; ++times) {
            now_ += 1ms;
            const bool said = carry(client_.get(), true);
            if (!carry(server_.get(), false) && !said) return;
        }
    }
    bool carry(quic::machine* from, bool is_client) {
        if (!from) return false;
        std::array<char, 65'000> space;
        bool any = false;
        for (;;) {
            const bool is_tested = is_client == tests_client_;
            const auto made = is_tested ? machine_->send(space, now_) : from->send(space, now_);
            if (!made || made->size == 0) return any;
            any = true;
            if (is_tested) sent_ += made->size;
            for (std::size_t at = 0; at < made->size; at += made->segment)
                deliver({space.data() + at, std::min(made->segment, made->size - at)}, is_client);
        }
    }
    void deliver(std::string_view datagram, bool to_server) {
        if (to_server && !server_) {
            const auto judged = stateless_.judge(datagram, address(1), false, now_);
            if (!judged.begins) return;
            quic::limits limits = quic::server_limits;
            quic::stream_user& by = tests_client_ ? static_cast<quic::stream_user&>(peer_) : machine_->user();
            server_ = quic::machine::server(server_tls_->native(), {address(2), address(1)}, *judged.begins, stateless_,
                                            *this, by, limits, now_)
                          .value();
            if (tests_client_) peer_.connection = server_.get();
            else machine_->ride(*server_);
        }
        (void)(to_server ? server_ : client_)->receive(datagram, 0, now_);
    }

    bool tests_client_;
    quic::time_point now_{1h};
    quic::stateless_server stateless_;
    request_head head_;
    scribbler peer_;
    std::vector<std::unique_ptr<exchange>> exchanges_;
    std::unique_ptr<http3::machine> machine_;
    std::unique_ptr<transport::quic_tls> client_tls_, server_tls_;
    std::unique_ptr<quic::machine> client_, server_;
    std::size_t sent_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    world((data[0] & 1U) != 0).run(input.substr(1));
    return 0;
}
