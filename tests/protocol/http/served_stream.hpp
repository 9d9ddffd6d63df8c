#pragma once
/// \file
/// What the tests of the machines' servers share.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/http/message_stream.hpp"
#include "protocol/http/recording_stream.hpp"
#include "support/body_parts.hpp"

namespace pabal::http::testing {

inline response_head head_of(int status, const lines& fields = {}) {
    response_head head;
    head.status = status;
    for (const auto& [name, value] : fields) head.headers.append_valid(name, value);
    return head;
}

/// A stream's owner that writes down what it hears, and answers when told to.
template <class Stream>
class served_stream final : public Stream {
public:
    std::optional<request_head> head;
    std::optional<std::uint64_t> announced;
    bool too_large = false;
    std::string body;
    fields trailers_received;
    bool ended = false;
    std::optional<error> failure;
    bool was_sent = false;

    pabal::testing::body_parts body_parts;
    fields trailers_to_send;
    bool ends_with_its_parts = false;

    bool has_given_all() const override { return ends_with_its_parts && body_parts.empty(); }
    void on_request(request_head&& got, std::optional<std::uint64_t> size) override {
        head = std::move(got);
        announced = size;
    }
    void on_request_too_large() override { too_large = true; }
    void on_data(std::string_view data) override { body += data; }
    void on_end(fields&& got) override {
        ended = true;
        trailers_received = std::move(got);
    }
    void on_reset(error&& got, bool) override { failure = std::move(got); }
    void on_sent() override { was_sent = true; }
    result<read_outcome> read_body(std::span<char> buffer) override {
        return pabal::testing::read_parts(body_parts, buffer);
    }
    const fields* trailers() override { return &trailers_to_send; }
};

}  // namespace pabal::http::testing
