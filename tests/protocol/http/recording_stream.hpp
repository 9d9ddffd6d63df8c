#pragma once
/// \file
/// What the tests of the machines for many streams share.

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/http/message_stream.hpp"

namespace pabal::http::testing {

/// A stream's owner that writes down what it hears.
template <class Stream>
class recording_stream final : public Stream {
public:
    std::deque<std::optional<std::string>> body_parts;  ///< nullopt: would_block
    std::optional<error> body_failure;
    fields trailers_to_send;

    std::vector<int> informational;
    std::optional<response_head> head;
    std::string body;
    fields trailers_received;
    std::optional<error> failure;
    bool ended = false;
    bool unprocessed = false;

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
    }
    result<read_outcome> read_body(std::span<char> buffer) override {
        if (body_parts.empty()) {
            if (body_failure) return *body_failure;
            return read_outcome{read_outcome::kind::end, 0};
        }
        auto& next = body_parts.front();
        if (!next) return body_parts.pop_front(), read_outcome{};
        const std::size_t size = next->copy(buffer.data(), buffer.size());
        next->erase(0, size);
        if (next->empty()) body_parts.pop_front();
        return read_outcome{read_outcome::kind::data, size};
    }
    const fields* trailers() override { return &trailers_to_send; }
};

}  // namespace pabal::http::testing
