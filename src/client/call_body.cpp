#include <algorithm>
#include <utility>

#include "client/call.hpp"
#include "client/session.hpp"

namespace pabal::client {

namespace {

/// A redirect's body is read to keep the connection, up to this; beyond it a new connection is cheaper.
constexpr std::size_t skip_at_most = 64 * 1024;

/// What is believed of a Content-Length before bytes have arrived; more is allocated as it comes.
constexpr std::size_t trust_announced_size = 1024 * 1024;

/// Encoded bytes a streamed call takes from the connection at a time.
constexpr std::size_t encoded_piece = 64 * 1024;

}  // namespace

result<void> call::prepare_decoder() {
    decoder_.reset();
    if (request.method == "HEAD" || response_.status == 204 || response_.status == 304) return {};
    const auto codings = response_.headers.joined("content-encoding");
    if (!codings) return {};
    auto made = http::content_decoder::for_codings(*codings);
    if (!made) return std::move(made).error();
    if (*made && !(*made)->is_identity()) decoder_.emplace(std::move(**made));
    return {};
}

/// What the head announces of the body is judged, and made room for if it will be kept.
result<void> call::begin_body() {
    received_ = given_ = 0;
    const auto announced = response_.headers.find(field_id::content_length);
    if (!announced || decoder_ || request.method == "HEAD" || response_.status == 304) return {};
    std::uint64_t size = 0;
    for (const char digit : *announced) size = size * 10 + static_cast<std::uint64_t>(digit - '0');
    const std::uint64_t limit = asked_.streams_response ? max_streamed_ : max_body_;
    if (size > limit) {
        error failure = larger_than(limit);
        failure.message += "; it is announced to have " + std::to_string(size);
        return failure;
    }
    if (!asked_.streams_response)
        body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(size, trust_announced_size)));
    return {};
}

bool call::body_exceeds_limit() const noexcept { return body_.size() > max_body_; }

error call::larger_than(std::uint64_t limit) const {
    std::string message = "the response body is larger than its limit of " + std::to_string(limit) + " bytes";
    if (received_ > 0) message += "; " + std::to_string(received_) + " bytes were received";
    message += " (max_body)";
    return {error_code::body_too_large, phase::read, culprit::peer, 0, std::move(message)};
}

std::span<char> call::body_space(std::size_t at_most) {
    if (state_ != state::collecting || decoder_) return {};
    const std::size_t wanted = std::min(at_most, std::max(trust_announced_size, body_.size()));
    return body_.space(wanted);
}

flow call::on_data(std::string_view data) {
    if (state_ == state::skipping) {
        skipped_ += data.size();
        // Without a responder that could be cancelled, somebody in this process pushes, and will to the end.
        if (responder* answering = answered_by(); answering && skipped_ > skip_at_most) {
            answering->cancel(*this);
            end_skipping();
        }
        return flow::more;
    }
    received_ += data.size();
    if (state_ == state::streaming) return keep_pushed(data);
    if (state_ != state::collecting) return flow::more;
    if (decoder_) {
        if (auto decoded = decode(data); !decoded) give_up(std::move(decoded).error());
        return flow::more;
    }
    if (body_.size() + data.size() > max_body_) {
        give_up(too_large());
        return flow::more;
    }
    if (data.data() == body_.data() + body_.size()) body_.commit(data.size());
    else body_.append(data);
    return flow::more;
}

result<void> call::decode(std::string_view data) {
    constexpr std::size_t step = 16 * 1024;
    while (true) {
        const std::span<char> space = body_.space(std::max(step, std::min<std::size_t>(data.size() * 2, 1024 * 1024)));
        auto decoded = decoder_->decode(data, space);
        if (!decoded) return std::move(decoded).error();
        body_.commit(decoded->produced);
        data.remove_prefix(decoded->used);
        if (body_.size() > max_body_) return too_large();
        if (decoded->produced < space.size()) return {};
    }
}

void call::on_end(fields&& trailers) {
    times.ended = reactor_->now();
    trailers_ = std::move(trailers);
    if (state_ == state::skipping) return end_skipping();
    if (state_ == state::streaming) {
        raw_ended_ = true;
        if (!decoder_ && encoded_used_ == encoded_.size()) finish();
        else tell_readable();
        return;
    }
    if (state_ != state::collecting) return;
    if (decoder_) {
        if (auto complete = decoder_->finish(); !complete) return fail(std::move(complete).error());
    }
    finish();
}

// --- Streaming ----------------------------------------------------------------------------------------------------------

void call::on_readable() { tell_readable(); }

void call::tell_readable() {
    if (observer_ && !reading_) observer_->on_call_readable(*this);
}

/// A responder that pushes although it was asked to be pulled, as simple handlers in this process do. What it pushes waits
/// to be read; a responder that can pause does so when enough is waiting.
flow call::keep_pushed(std::string_view data) {
    encoded_.append(data);
    push_paused_ = answered_by() && encoded_.size() - encoded_used_ > encoded_piece;
    const flow wanted = push_paused_ ? flow::pause : flow::more;
    tell_readable();
    return wanted;
}

/// Everything pushed so far is read. True: there may be more now.
bool call::resume_pushing() {
    encoded_.clear();
    encoded_used_ = 0;
    responder* answering = answered_by();
    if (!answering || !std::exchange(push_paused_, false)) return false;
    answering->resume(*this);
    return true;
}

result<read_outcome> call::read(std::span<char> buffer) {
    if (state_ == state::done) {
        if (failure_) return *failure_;
        return read_outcome{read_outcome::kind::end, 0};
    }
    if (state_ != state::streaming || buffer.empty()) return read_outcome{};
    const call_ptr alive(this);
    reading_ = true;
    auto got = decoder_ ? read_decoded(buffer) : read_plain(buffer);
    reading_ = false;
    if (got && got->size > max_streamed_ - given_) got = larger_than(max_streamed_);
    if (got) given_ += got->size;
    if (!got) give_up(got.error());
    return got;
}

result<read_outcome> call::read_plain(std::span<char> buffer) {
    while (true) {
        const std::string_view pushed = encoded_.view().substr(encoded_used_);
        if (!pushed.empty()) {
            const std::size_t size = pushed.copy(buffer.data(), buffer.size());
            encoded_used_ += size;
            return read_outcome{read_outcome::kind::data, size};
        }
        if (raw_ended_) {
            finish();
            return read_outcome{read_outcome::kind::end, 0};
        }
        if (!resume_pushing()) break;
        if (failure_) return *failure_;
    }
    responder* answering = answered_by();
    return answering ? pull(*answering, buffer) : read_outcome{};
}

result<read_outcome> call::pull(responder& answering, std::span<char> buffer) {
    auto got = answering.read_response(*this, buffer);
    if (got) received_ += got->size;
    if (got || !is_end_enough(got.error())) return got;
    on_end({});
    return read_outcome{read_outcome::kind::end, 0};
}

bool call::keep_encoded() {
    if (decoding_began_) return false;
    decoder_.reset();
    return true;
}

result<read_outcome> call::read_decoded(std::span<char> buffer) {
    decoding_began_ = true;
    while (true) {
        const std::string_view encoded = encoded_.view().substr(encoded_used_);
        if (!encoded.empty() || raw_ended_) {
            auto decoded = decoder_->decode(encoded, buffer);
            if (!decoded) return std::move(decoded).error();
            encoded_used_ += decoded->used;
            if (decoded->produced > 0) return read_outcome{read_outcome::kind::data, decoded->produced};
            if (raw_ended_ && encoded_used_ == encoded_.size()) {
                if (auto complete = decoder_->finish(); !complete) return std::move(complete).error();
                finish();
                return read_outcome{read_outcome::kind::end, 0};
            }
            if (raw_ended_ && decoded->used == 0) {
                finish();
                return read_outcome{read_outcome::kind::end, 0};
            }
        }
        if (raw_ended_) continue;
        if (resume_pushing()) {
            if (failure_) return *failure_;
            continue;
        }
        responder* answering = answered_by();
        if (!answering) return read_outcome{};
        auto got = pull(*answering, encoded_.space(encoded_piece));
        if (!got) return std::move(got).error();
        if (got->what == read_outcome::kind::would_block) return *got;
        if (got->what == read_outcome::kind::end) raw_ended_ = true;
        encoded_.commit(got->size);
    }
}

}  // namespace pabal::client
