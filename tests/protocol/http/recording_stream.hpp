#pragma once
/// \file
/// What the tests of the machines for many streams share.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/http/message_stream.hpp"
#include "support/body_parts.hpp"

namespace pabal::http::testing {

using lines = std::vector<std::pair<std::string, std::string>>;

inline request_head get(std::string_view target = "/") {
    request_head head;
    head.target = target;
    head.headers.append_valid("Host", "example.test");
    return head;
}

/// A request with fields of every kind, among them those of HTTP/1.1's connections, and how these versions carry it with a body of
/// five bytes.
struct request_of_all_kinds {
    request_head head = made();
    const lines carried{{":method", "POST"},        {":scheme", "https"},   {":authority", "example.test"},
                        {":path", "/price?of=btc"}, {"accept", "*/*"},      {"cookie", "a=1; b=2"},
                        {"x-mixed", "Value"},       {"content-length", "5"}};

private:
    static request_head made() {
        request_head head = get("/price?of=btc");
        head.method = "POST";
        for (const auto& [name, value] : lines{{"Accept", "*/*"},
                                               {"Connection", "keep-alive"},
                                               {"Keep-Alive", "5"},
                                               {"Transfer-Encoding", "chunked"},
                                               {"Upgrade", "websocket"},
                                               {"TE", "gzip"},
                                               {"Cookie", "a=1; b=2"},
                                               {"X-Mixed", "Value"}})
            head.headers.append_valid(name, value);
        return head;
    }
};

/// A stream's owner that writes down what it hears.
template <class Stream>
class recording_stream final : public Stream {
public:
    pabal::testing::body_parts body_parts;
    std::optional<error> body_failure;
    fields trailers_to_send;

    std::vector<int> informational;
    std::optional<response_head> head;
    std::string body;
    fields trailers_received;
    std::optional<error> failure;
    bool ended = false;
    bool unprocessed = false;
    std::function<void()> then;  ///< what its owner does when it hears of a failure

    void on_informational(response_head&& got) override { informational.push_back(got.status); }
    void on_response(response_head&& got) override { head = std::move(got); }
    void on_data(std::string_view data) override { body += data; }
    void on_end(fields&& got) override {
        ended = true;
        trailers_received = std::move(got);
    }
    void on_reset(error&& got, bool was_unprocessed) override {
        failure = std::move(got);
        unprocessed = was_unprocessed;
        if (then) then();
    }
    result<read_outcome> read_body(std::span<char> buffer) override {
        return pabal::testing::read_parts(body_parts, buffer, body_failure);
    }
    const fields* trailers() override { return &trailers_to_send; }
};

}  // namespace pabal::http::testing
