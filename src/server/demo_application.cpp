#include "server/demo_application.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

namespace pabal::server_demo {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{16} << 30U;
constexpr std::uint64_t longest_delay = 60'000;  // milliseconds
constexpr std::size_t longest_symbol = 16;

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += byte;
        } else if (code < 0x20 || code >= 0x7F) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(code));
            out += escaped.data();
        } else {
            out += byte;
        }
    }
    return out + '"';
}

reply json(int status, std::string body) { return {status, "application/json", std::move(body), {}}; }
reply problem(int status, std::string_view what) { return json(status, "{\"error\":" + quoted(what) + "}"); }

/// The number behind `prefix` in a target, if that is all there is.
std::optional<std::uint64_t> number_behind(std::string_view prefix, std::string_view target) {
    target = target.substr(prefix.size());
    target = target.substr(0, target.find('?'));
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(target.data(), target.data() + target.size(), number);
    if (failure != std::errc{} || end != target.data() + target.size() || target.empty()) return std::nullopt;
    return number;
}

/// The same symbol has the same price everywhere and for ever.
std::string price_of(std::string_view symbol) {
    if (symbol == "BTC") return "123.45";
    std::uint32_t hash = 2166136261U;
    for (const char letter : symbol) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%u.%02u", hash % 1000, hash / 1000 % 100);
    return text.data();
}

reply quote(std::string_view symbol) {
    const bool plausible =
        !symbol.empty() && symbol.size() <= longest_symbol && std::ranges::all_of(symbol, [](char letter) {
            return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '.' ||
                   letter == '-';
        });
    if (!plausible) return problem(404, "no such symbol: it has up to 16 of A-Z, 0-9, '.' and '-'");
    return json(200, "{\"symbol\":" + quoted(symbol) + ",\"price\":" + price_of(symbol) + "}");
}

reply echo(const incoming& request) {
    if (!request.body.empty() || request.head.method == "POST" || request.head.method == "PUT") {
        const auto type = request.head.headers.find(field_id::content_type);
        return {200, std::string(type.value_or("application/octet-stream")), request.body, {}};
    }
    std::string headers;
    for (const fields::field line : request.head.headers) {
        if (!headers.empty()) headers += ',';
        headers += "[" + quoted(line.name) + "," + quoted(line.value) + "]";
    }
    return json(200, "{\"method\":" + quoted(request.head.method) + ",\"target\":" + quoted(request.head.target) +
                         ",\"headers\":[" + headers + "]}");
}

class whole_replies final : public application {
public:
    reply answer(const incoming& request) override {
        const std::string& method = request.head.method;
        if (request.path == "/echo") return echo(request);
        if (method != "GET" && method != "HEAD") {
            reply refused = problem(405, "this resource is only read");
            refused.headers.append_valid("Allow", "GET, HEAD");
            return refused;
        }
        constexpr std::string_view quotes = "/quotes/";
        if (request.path == "/price") return json(200, R"({"symbol":"BTC","price":123.45})");
        if (request.path.starts_with(quotes)) return quote(std::string_view(request.path).substr(quotes.size()));
        return problem(404, "nothing is here; try /price, /quotes/SYMBOL, /bytes/N, /delay/MS, /echo");
    }
};

/// Writes N bytes as fast as the peer takes them.
class byte_stream final : public responder, public base::ref_counted {
public:
    static void answer(const exchange_ptr& asked, std::uint64_t size) {
        const auto made = base::make_counted<byte_stream>(asked, size);
        asked->attach(made.get());
        made->self_ = made;
        response_head head;
        head.status = 200;
        head.headers.append_valid("Content-Type", "application/octet-stream");
        head.headers.append_valid("Content-Length", std::to_string(size));
        asked->on_response(std::move(head));
        made->left_ = asked->request.method == "HEAD" ? 0 : size;
        made->write();
    }
    byte_stream(exchange_ptr asked, std::uint64_t size) : exchange_(std::move(asked)), left_(size) {}

    void cancel(exchange&) override { release(); }
    void resume(exchange&) override { write(); }
    result<read_outcome> read_response(exchange&, std::span<char>) override { return read_outcome{}; }
    void request_body_ready(exchange&) override {}

private:
    void write() {
        static const std::string block(64 * 1024, 'p');
        const base::intrusive_ptr<byte_stream> alive(this);
        while (exchange_ && left_ > 0) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, block.size()));
            left_ -= size;
            if (exchange_->on_data(std::string_view(block).substr(0, size)) == flow::pause) return;
        }
        if (!exchange_) return;
        const exchange_ptr finished = exchange_;
        release();
        finished->on_end({});
    }
    void release() {
        if (exchange_) exchange_->attach(nullptr);
        exchange_ = nullptr;
        const base::intrusive_ptr<byte_stream> last = std::move(self_);
    }

    exchange_ptr exchange_;
    std::uint64_t left_;
    base::intrusive_ptr<byte_stream> self_;
};

}  // namespace

demo_application::demo_application() : whole_(std::make_unique<whole_replies>()) {}
demo_application::~demo_application() = default;

void demo_application::handle(exchange_ptr started) {
    const std::string_view target = started->request.target;
    if (target.starts_with("/bytes/")) {
        if (const auto size = number_behind("/bytes/", target); size && *size <= most_bytes)
            return byte_stream::answer(started, *size);
    }
    if (host_ && target.starts_with("/delay/")) {
        const auto delay = number_behind("/delay/", target);
        if (delay && *delay <= longest_delay) {
            started->request.target = "/price";
            return host_->after(std::chrono::milliseconds(*delay), [this, started] { whole_->handle(started); });
        }
    }
    whole_->handle(std::move(started));
}

}  // namespace pabal::server_demo
