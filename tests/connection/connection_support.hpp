#pragma once
/// \file
/// What the connection tests share: wires to run each case over (memory whole, in single bytes, in random fragments, and
/// real sockets), a peer that says what the test tells it to, and a requester that writes down what it hears.

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include <pabal/handler.hpp>

#include "reactor/reactor.hpp"
#include "reactor/simulated_poller.hpp"
#include "support/body_parts.hpp"
#include "transport/memory_transport.hpp"
#include "transport/socket_transport.hpp"

namespace pabal::connection::testing {

using namespace std::chrono_literals;

/// One way of carrying bytes; every case of a table runs over each.
struct path {
    const char* name;
    bool sockets = false;
    transport::memory_wire wire{};
};

inline void PrintTo(const path& printed, std::ostream* out) { *out << printed.name; }

inline std::vector<path> memory_paths() {
    return {{.name = "whole"},
            {.name = "byte_by_byte", .wire = {.max_per_write = 1, .max_per_read = 1}},
            {.name = "narrow", .wire = {.capacity = 7}},
            {.name = "fragments_1", .wire = {.fragment_seed = 1}},
            {.name = "fragments_2", .wire = {.capacity = 100, .fragment_seed = 2}}};
}
inline std::vector<path> all_paths() {
    auto paths = memory_paths();
    paths.push_back({.name = "sockets", .sockets = true});
    return paths;
}
inline std::string name_of_path(const ::testing::TestParamInfo<path>& info) { return info.param.name; }

/// A reactor, on a simulated clock or on the system, and pairs of transports on it.
class world {
public:
    explicit world(const path& carried_by)
        : path_(carried_by), reactor_(carried_by.sockets ? reactor::make_poller().value() : simulated()) {}

    reactor::reactor& reactor() noexcept { return reactor_; }
    transport::memory_pair pair() { return path_.sockets ? sockets() : memory(path_.wire, path_.wire); }
    transport::memory_pair memory(const transport::memory_wire& there, const transport::memory_wire& back) {
        return transport::make_memory_pair(reactor_, there, back);
    }

    /// Turns until `done`; false when that does not come to be.
    bool turn_until(const std::function<bool()>& done) {
        const auto patience = reactor::clock::now() + 3s;
        for (int quiet = 0; !done(); ++quiet) {
            if (path_.sockets ? reactor::clock::now() > patience : quiet > turns_that_settle_anything) return false;
            reactor_.turn(path_.sockets ? 5ms : 0ms);
        }
        return true;
    }
    /// Lets everything happen that needs no time.
    void settle() {
        int turns = path_.sockets ? 5 : 100;
        while (turns-- > 0) reactor_.turn(path_.sockets ? 2ms : 0ms);
    }
    /// Lets time go by (simulated clock only).
    void pass(reactor::duration time) {
        settle();
        for (const auto until = reactor_.now() + time; reactor_.now() < until;) reactor_.turn(until - reactor_.now());
        settle();
    }

private:
    static constexpr int turns_that_settle_anything = 1'000'000;

    static std::unique_ptr<reactor::poller> simulated() { return std::make_unique<reactor::simulated_poller>(); }
    transport::memory_pair sockets() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        return {transport::make_socket_transport(reactor_, ends[0], "first"),
                transport::make_socket_transport(reactor_, ends[1], "second")};
    }

    path path_;
    reactor::reactor reactor_;
};

/// The far end of a wire: reads what comes (unless told not to), and says what it is told as the wire takes it.
class peer final : private transport::transport_observer {
public:
    peer() = default;
    explicit peer(transport::transport_ptr end) { connect(std::move(end)); }

    void connect(transport::transport_ptr end) {
        end_ = std::move(end);
        unsaid_.clear();
        said_ = 0;
        hanging_up_ = saw_end_ = false;
        end_->observe(this);
    }
    void say(std::string_view text) {
        unsaid_ += text;
        speak();
    }
    /// Closes once everything is said.
    void hang_up() {
        hanging_up_ = true;
        speak();
    }
    /// Ends only its own direction.
    void finish() { end_->shutdown_write(); }
    void listen(bool whether) {
        listens_ = whether;
        if (whether) hear();
    }
    bool has_said_all() const noexcept { return unsaid_.empty(); }
    bool is_connected() const noexcept { return end_ != nullptr; }
    bool saw_end() const noexcept { return saw_end_; }

    std::string heard;
    std::function<void()> on_heard;  ///< called after more was heard

private:
    void on_transport_ready(transport::readiness now) override {
        if (now.writable) speak();
        if (now.readable) hear();
    }
    void speak() {
        while (end_ && said_ < unsaid_.size()) {
            const std::array<std::string_view, 1> pieces{std::string_view(unsaid_).substr(said_)};
            const auto said = end_->write(pieces);
            if (!said) said_ = unsaid_.size();
            if (!said || said->what != transport::io_outcome::kind::moved) break;
            said_ += said->size;
        }
        if (said_ == unsaid_.size()) unsaid_.clear(), said_ = 0;
        if (hanging_up_ && unsaid_.empty()) end_.reset();
    }
    void hear() {
        std::array<char, 4096> buffer;
        bool more = false;
        while (end_ && listens_ && !saw_end_ && end_->maybe_readable()) {
            const auto got = end_->read(buffer);
            if (got && got->what == transport::io_outcome::kind::would_block) break;
            saw_end_ = !got || got->what == transport::io_outcome::kind::end;
            if (!saw_end_) heard.append(buffer.data(), got->size);
            more = true;
        }
        if (more && on_heard) on_heard();
    }

    transport::transport_ptr end_;
    std::string unsaid_;
    std::size_t said_ = 0;  ///< of it
    bool hanging_up_ = false;
    bool listens_ = true;
    bool saw_end_ = false;
};

/// A requester that writes down what it hears and complains about what it must not hear.
class recording_exchange : public exchange {
public:
    recording_exchange() { ++alive; }
    ~recording_exchange() override { --alive; }

    // --- What it asks for ---
    delivery wants = delivery::push;
    bool pauses = false;                    ///< after every piece of data
    std::string place;                      ///< where it would like the body
    pabal::testing::body_parts body_parts;  ///< of the request
    std::optional<error> body_failure;      ///< after the last part, instead of the end
    fields trailers_to_send;
    std::function<void()> in_head;  ///< called from within on_response
    std::function<void()> in_data;  ///< called from within on_data
    std::function<void()> in_end;   ///< called from within on_end and on_error
    std::function<void()> in_body;  ///< called from within read_request_body

    // --- What it hears ---
    std::vector<int> informational;
    std::optional<response_head> head;
    std::string body;
    fields trailers;
    std::optional<error> failure;
    int outcomes = 0;  ///< on_end and on_error
    int paused = 0;    ///< pieces after which it paused
    int readable = 0;  ///< on_readable calls
    std::size_t received_in_place = 0;
    bool given_up = false;  ///< set by who cancelled it: nothing may be heard any more

    bool over() const noexcept { return outcomes > 0; }
    bool succeeded() const noexcept { return outcomes == 1 && !failure; }
    static inline int alive = 0;

    result<read_outcome> read_request_body(std::span<char> buffer) override {
        if (in_body) std::exchange(in_body, nullptr)();
        return pabal::testing::read_parts(body_parts, buffer, body_failure);
    }
    const fields* request_trailers() override { return &trailers_to_send; }
    void on_informational(response_head&& got) override {
        must_be_wanted();
        informational.push_back(got.status);
    }
    delivery on_response(response_head&& got) override {
        must_be_wanted();
        EXPECT_FALSE(head) << "a second final response";
        head = std::move(got);
        if (in_head) in_head();
        return wants;
    }
    std::span<char> body_space(std::size_t at_most) override {
        return {place.data() + received_in_place, std::min(at_most, place.size() - received_in_place)};
    }
    flow on_data(std::string_view data) override {
        must_be_wanted();
        if (!place.empty() && data.data() == place.data() + received_in_place) received_in_place += data.size();
        body += data;
        if (in_data) in_data();
        return pauses ? ++paused, flow::pause : flow::more;
    }
    void on_readable() override {
        must_be_wanted();
        ++readable;
    }
    void on_end(fields&& got) override {
        must_be_wanted();
        trailers = std::move(got);
        ++outcomes;
        if (in_end) in_end();
    }
    void on_error(error&& got) override {
        must_be_wanted();
        failure = std::move(got);
        ++outcomes;
        if (in_end) in_end();
    }

private:
    void must_be_wanted() const {
        EXPECT_EQ(outcomes, 0) << "called after the end";
        EXPECT_FALSE(given_up) << "called after it was cancelled";
    }
};
using recording_ptr = base::intrusive_ptr<recording_exchange>;

inline recording_ptr make_get(std::string_view target = "/", std::string_view method = "GET") {
    auto made = base::make_counted<recording_exchange>();
    made->request.method = method;
    made->request.target = target;
    made->request.headers.append_valid("Host", "example.test");
    return made;
}

/// A request with a body in parts; of unknown size unless one is given.
inline recording_ptr make_upload(std::deque<std::optional<std::string>> parts,
                                 std::optional<std::uint64_t> size = std::nullopt) {
    auto made = make_get("/", "POST");
    made->request_body_size = size;
    made->body_parts = std::move(parts);
    return made;
}

inline std::string letters(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('a' + (at * 31 + at / 251) % 26);
    return text;
}

/// Reads as a consumer of a stream does, piece by piece: up to the end ("<end>") or an error ("<its name>"). `turn_until` turns
/// the reactor until something is done, and says whether it was.
template <class TurnUntil>
std::string pull_through(const recording_ptr& exchange, std::size_t piece, TurnUntil&& turn_until) {
    std::string all;
    std::string buffer(piece, ' ');
    const bool ended = turn_until([&] {
        while (true) {
            responder* answering = exchange->answered_by();
            if (!answering) return all += "<end>", true;
            auto got = answering->read_response(*exchange, buffer);
            if (!got) return all += "<" + std::string(name_of(got.error().code)) + ">", true;
            if (got->what == read_outcome::kind::end) return all += "<end>", true;
            if (got->what == read_outcome::kind::would_block) return false;
            all.append(buffer.data(), got->size);
        }
    });
    return ended ? all : all + "<never>";
}

}  // namespace pabal::connection::testing
