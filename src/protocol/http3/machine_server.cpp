// The server's half of the machine.

#include <array>
#include <utility>

#include <nghttp3/nghttp3.h>

#include "protocol/http3/machine.hpp"
#include "protocol/http3/wire.hpp"

namespace pabal::http3 {

namespace {

constexpr std::size_t max_spare_requests = 8;

/// The client has gone from the stream meanwhile.
error gone() { return {error_code::stream_reset, phase::write, culprit::peer, 0, "the client ended the exchange"}; }

}  // namespace

// --- Requests --------------------------------------------------------------------------------------------------------

void machine::on_peer_may_open(std::uint64_t streams) {
    if (role_ == role::server) nghttp3_conn_set_max_client_streams_bidi(connection_.get(), streams);
}

void machine::on_stream_opened(quic::stream_id id) {
    if (role_ == role::server && (id & 2) == 0) heads_awaited_.insert(id);
}

carriage* machine::begin_request(quic::stream_id id) {
    stream* const opened = accepts_streams_ ? observer_->on_request_begun() : nullptr;
    if (!opened) {
        give_up(id, error_reason::request_rejected);
        return nullptr;
    }
    auto* made = new carriage(*opened);
    made->id = id;
    opened->carriage_ = made;
    carriages_.push_back(*made);
    if (!spare_requests_.empty()) {
        made->request = std::move(spare_requests_.back());
        spare_requests_.pop_back();
    } else {
        made->request =
            std::make_unique<http::arriving_request>(limits_.max_head, limits_.max_fields, http_version::http_3);
    }
    made->request->begin();
    nghttp3_conn_set_stream_user_data(connection_.get(), id, made);
    return made;
}

/// Fields beyond the limits are passed over and the request is answered with that, unless there is no end of them.
void machine::add_request_field(carriage& of, std::string_view name, std::string_view value) {
    of.request->add(name, value);
    if (of.request->size() > limits_.bomb_factor * limits_.max_head) fail_calmly("sends a head without end");
}

void machine::end_request_head(carriage& of, bool ends) {
    heads_awaited_.erase(of.id);
    stream& its_owner = *of.owner;
    its_owner.has_head_ = true;
    std::unique_ptr<http::arriving_request> whole = std::move(of.request);
    const auto malformed = [&](std::string_view defect) {
        give_up(of.id, error_reason::message_error);
        end_stream(of,
                   {error_code::malformed_message, phase::read, culprit::peer, 0,
                    "malformed HTTP/3 request: " + std::string(defect)},
                   false);
    };
    if (whole->is_too_large()) return its_owner.on_request_too_large();
    if (const std::string_view defect = whole->defect(); !defect.empty()) return malformed(defect);
    request_head head = whole->take();
    if (spare_requests_.size() < max_spare_requests) spare_requests_.push_back(std::move(whole));
    const auto announced = http::announced_size(head.headers);
    if (!announced) return malformed("invalid Content-Length");
    its_owner.on_request(std::move(head), ends ? std::optional<std::uint64_t>(0) : *announced);
}

/// The stream is closed in both directions; `whole`: neither was given up.
void machine::request_closed(quic::stream_id id, bool whole) {
    if ((id & 2) != 0) return;
    heads_awaited_.erase(id);
    if (!whole) spend_reset();
    else if (resets_ > 0) --resets_;
}

// --- Responses -------------------------------------------------------------------------------------------------------

result<void> machine::inform(const response_head& head, stream& of) {
    if (auto checked = http::check_informational(head); !checked) return checked;
    if (!of.carriage_) return gone();
    const auto digits = http::digits_of(head.status);
    field_lines lines;
    http::for_each_line(head, digits, lines);
    if (nghttp3_conn_submit_info(connection_.get(), of.carriage_->id, lines.data(), lines.size()) != 0) return gone();
    return {};
}

result<void> machine::respond(const response_head& head, bool has_body, stream& of) {
    const auto announced = http::check_final(head);
    if (!announced) return announced.error();
    if (!of.carriage_) return gone();
    const auto digits = http::digits_of(head.status);
    field_lines lines;
    http::for_each_line(head, digits, lines);
    has_body = has_body && *announced != std::uint64_t{0};
    const nghttp3_data_reader source = body_reader();
    if (nghttp3_conn_submit_response(connection_.get(), of.carriage_->id, lines.data(), lines.size(),
                                     has_body ? &source : nullptr) != 0)
        return gone();
    of.body_left_ = has_body ? *announced : 0;
    of.sent_all_ = !has_body;
    return {};
}

/// Before there is a control stream nobody can be told: those who come then are refused.
void machine::announce_end() {
    if (established_) nghttp3_conn_submit_shutdown_notice(connection_.get());
}

void machine::finish() {
    accepts_streams_ = false;
    if (established_) nghttp3_conn_shutdown(connection_.get());
}

// --- Defences --------------------------------------------------------------------------------------------------------

void machine::spend_reset() {
    if (++resets_ > limits_.max_resets) fail_calmly("sends too many streams that nobody waits for");
}

/// RFC 9114 section 10.5: a peer whose activity is suspicious is told so, and the connection ends.
void machine::fail_calmly(std::string_view why) {
    accepts_streams_ = false;
    quic_->close(static_cast<std::uint64_t>(error_reason::excessive_load), {},
                 {error_code::malformed_message, phase::read, culprit::peer, 0,
                  "the client " + std::string(why) + " (H3_EXCESSIVE_LOAD)"});
}

}  // namespace pabal::http3
