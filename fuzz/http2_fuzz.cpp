// What an HTTP/2 server may send to a client. The first byte chooses what was asked and how the client behaves, the second how
// the input is cut into pieces; the rest is what arrives: bytes as they are, or (bit 3) frames in short: type, flags, stream,
// size of the payload, and the payload, which lets mutations get past the framing.
//
// Invariants:
//   - the whole input and the input in pieces give the same events on every stream, until the connection fails (where in the input
//     that is, nghttp2 sees earlier or later);
//   - a stream hears of one end, whole or not, and of nothing after it, and of nothing after it was let go;
//   - heads, 1xx responses and unread bodies stay within their limits;
//   - a failure is the peer's, printable, and final;
//   - what is sent in answer is no more than a small multiple of what came.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http2/machine.hpp"

namespace {

using namespace pabal;

void require(bool holds) {
    if (!holds) std::abort();
}

struct options {
    explicit options(std::uint8_t bits)
        : requests((bits & 3) + 1U),
          narrow((bits & 4) != 0),
          framed((bits & 8) != 0),
          consumes((bits & 16) != 0),
          lets_go((bits & 32) != 0),
          uploads((bits & 64) != 0),
          leaves((bits & 128) != 0) {}
    unsigned requests;
    bool narrow;    ///< small limits
    bool framed;    ///< the input is frames in short
    bool consumes;  ///< the body is used as it comes
    bool lets_go;   ///< of a stream once its head is there
    bool uploads;   ///< requests have bodies
    bool leaves;    ///< the client goes away after the input

    http2::limits limits() const {
        http2::limits bounds;
        if (narrow) {
            bounds.max_head = 200;
            bounds.max_fields = 6;
            bounds.stream_window = 100;
            bounds.largest_stream_window = 1000;
        }
        return bounds;
    }
    /// Until the peer has acknowledged our SETTINGS its windows have the size of RFC 9113 section 6.9.2.
    std::size_t largest_window() const { return std::max<std::size_t>(limits().largest_stream_window, 65'535); }
};

/// One exchange, which writes down what it hears.
class exchange final : public http2::stream {
public:
    exchange(const options& chosen, http2::machine& machine) : options_(chosen), machine_(machine) {}

    std::string told;
    std::string reset;  ///< why it ended before its time
    bool is_over = false;

    void on_informational(response_head&& head) override {
        note("1", head);
        require(++informational_ <= http2::max_informational_responses);
    }
    void on_response(response_head&& head) override {
        note("head ", head);
        require(!std::exchange(has_head_, true));
        if (!options_.lets_go) return;
        is_over = true;
        machine_.release(*this);
    }
    void on_data(std::string_view data) override {
        require(!is_over && has_head_ && data.size() > 0);
        if (!std::exchange(has_body_, true)) told += "body ";
        told += data;
        received_ += data.size();
        if (options_.consumes) machine_.consume(*this, data.size());
        else require(received_ <= options_.largest_window());
        require(machine_.certain_to_come() <= options_.largest_window());
    }
    void on_end(fields&& trailers) override {
        require(!is_over && has_head_);
        told += " end";
        note_lines(trailers);
        is_over = true;
        machine_.release(*this);
    }
    void on_reset(error&& failure, bool unprocessed) override {
        require(!is_over);
        require(failure.whose != culprit::local);
        reset = (unprocessed ? "unprocessed " : "reset ") + failure.message;
        is_over = true;
    }
    result<read_outcome> read_body(std::span<char> buffer) override {
        const std::size_t size = std::min<std::size_t>(buffer.size(), 10 - given_);
        if (size == 0) return read_outcome{read_outcome::kind::end, 0};
        std::fill_n(buffer.begin(), size, 'u');
        given_ += size;
        return read_outcome{read_outcome::kind::data, size};
    }

private:
    void note(std::string_view what, const response_head& head) {
        require(!is_over && !has_head_);
        require(head.status >= 100 && head.status <= 999);
        told.append(what).append(std::to_string(head.status));
        note_lines(head.headers);
    }
    void note_lines(const fields& lines) {
        require(lines.size() <= options_.limits().max_fields);
        std::size_t size = 0;
        for (const fields::field line : lines) {
            require(!line.name.empty() && line.name.front() != ':');
            size += line.name.size() + line.value.size();
            told.append(" ").append(line.name).append("=").append(line.value);
        }
        require(size <= options_.limits().max_head);
    }

    const options& options_;
    http2::machine& machine_;
    bool has_head_ = false;
    bool has_body_ = false;
    unsigned informational_ = 0;
    std::size_t received_ = 0;
    std::size_t given_ = 0;
};

class observer final : public http2::machine_observer {};

/// Frames as they are written in short.
std::string unfolded(std::string_view in_short) {
    std::string wire("\0\0\0\x04\0\0\0\0\0", 9);  // SETTINGS come first
    while (in_short.size() >= 4) {
        const auto number = [&](std::size_t at) { return static_cast<unsigned char>(in_short[at]); };
        const std::size_t size = std::min<std::size_t>(number(3), in_short.size() - 4);
        const unsigned stream = number(2) % 8U;
        wire += {'\0', '\0', static_cast<char>(size), static_cast<char>(number(0) % 17U), in_short[1]};
        wire += {'\0', '\0', '\0', static_cast<char>(stream == 0 ? 0U : 2 * stream - 1)};
        wire += in_short.substr(4, size);
        in_short.remove_prefix(4 + size);
    }
    return wire;
}

/// Sizes of pieces from a seed; 0 is byte by byte.
std::size_t next_size(std::uint64_t& state) {
    if (state == 0) return 1;
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return 1 + (state >> 33 & 31);
}

struct story {
    std::vector<std::string> told;    ///< of each exchange
    std::vector<std::string> resets;  ///< why it ended before its time
    bool failed;                      ///< the connection
};

story tell(const options& chosen, std::string_view input, bool whole, std::uint8_t seed) {
    observer nobody;
    http2::machine machine("https", nobody, chosen.limits());
    std::vector<std::unique_ptr<exchange>> asked;
    request_head head;
    head.method = chosen.uploads ? "POST" : "GET";
    head.target = "/";
    head.headers.append_valid("Host", "h");
    std::string sent;
    for (unsigned count = 0; count < chosen.requests; ++count) {
        asked.push_back(std::make_unique<exchange>(chosen, machine));
        require(machine.request(head, chosen.uploads ? std::nullopt : std::optional<std::uint64_t>(0), *asked.back())
                    .has_value());
    }
    require(machine.send(sent, 1 << 20).has_value());

    std::string failure;
    std::uint64_t state = seed;
    for (std::string_view rest = input; !rest.empty() && failure.empty();) {
        const std::size_t size = whole ? rest.size() : std::min(next_size(state), rest.size());
        // Memory that ends where the piece does, for the address sanitizer.
        const std::vector<char> exact(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        if (const auto done = machine.receive({exact.data(), exact.size()}); !done) failure = done.error().message;
        rest.remove_prefix(size);
    }
    sent.clear();
    if (chosen.leaves) machine.go_away();
    (void)machine.send(sent, 1 << 24);
    require(sent.size() <= 100'000 + 20 * input.size());
    if (const auto& why = machine.failure()) {
        require(why->whose == culprit::peer && !machine.accepts_streams());
        failure = why->message;
    }
    for (const char byte : failure) require(byte >= ' ' && byte < 0x7F);

    story came_of_it{{}, {}, !failure.empty()};
    for (const auto& each : asked) {
        came_of_it.told.push_back(each->told);
        came_of_it.resets.push_back(each->reset);
        if (!each->is_over) machine.release(*each);
    }
    return came_of_it;
}

void require_same(const story& whole, const story& pieces) {
    const bool failed = whole.failed || pieces.failed;
    for (std::size_t at = 0; at < whole.told.size(); ++at) {
        // Content that comes in pieces is handed over up to where it becomes wrong.
        if (failed) require(pieces.told[at].starts_with(whole.told[at]) || whole.told[at].starts_with(pieces.told[at]));
        else require(whole.told[at] == pieces.told[at] && whole.resets[at] == pieces.resets[at]);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const options chosen(data[0]);
    const std::string_view given{reinterpret_cast<const char*>(data) + 2, size - 2};
    const std::string input = chosen.framed ? unfolded(given) : std::string(given);
    require_same(tell(chosen, input, true, 0), tell(chosen, input, false, data[1]));
    return 0;
}
