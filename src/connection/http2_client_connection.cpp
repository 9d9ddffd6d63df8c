#include "connection/http2_client_connection.hpp"

#include <utility>

namespace pabal::connection {

namespace {

/// What is made ready for one write at the most: a few full TLS records.
constexpr std::size_t output_at_once = 64 * 1024;

}  // namespace

http2_client_connection::http2_client_connection(environment& environment, transport::transport_ptr transport,
                                                 client_connection_observer& observer, const http2::limits& limits)
    : multiplexed_client_connection(environment, observer),
      transport_(std::move(transport)),
      machine_(transport_->describe().tls_version.empty() ? "http" : "https", *this, limits) {
    transport_->observe(this);
    schedule_flush();  // our preface and SETTINGS need not wait for a request
}

bool http2_client_connection::usable() const noexcept {
    return state_ == state::open && !going_away_ && machine_.accepts_streams() && on_wire_ < machine_.peer_capacity() &&
           (exchanges_ > 0 || !transport_->maybe_readable());
}

transport::transport_description http2_client_connection::describe() const {
    return transport_ ? transport_->describe() : transport::transport_description{};
}

void http2_client_connection::on_capacity_changed() { tell_room(); }

// --- Sending ---------------------------------------------------------------------------------------------------------

void http2_client_connection::flush() {
    while (state_ == state::open && !write_blocked_ && !in_machine_) {
        if (output_written_ == output_.size()) {
            output_.clear();
            output_written_ = 0;
            in_machine_ = true;
            auto made = machine_.send(output_, output_at_once);
            in_machine_ = false;
            if (!made) return lose(made.error(), close_reason::protocol_error);
            if (output_.empty()) break;
        }
        const std::string_view piece = std::string_view(output_).substr(output_written_);
        auto written = transport_->write({&piece, 1});
        if (!written) return lose(written.error(), idle_or(close_reason::transport_failed));
        if (written->what != transport::io_outcome::kind::moved) {
            write_blocked_ = true;
            break;
        }
        output_written_ += written->size;
        note_written();
    }
    if (state_ != state::open || in_machine_) return;
    tell_invited();
    if (state_ == state::open && machine_.is_over())
        lose(last_word(), machine_.failure() ? close_reason::protocol_error : close_reason::peer_said_close);
}

/// Why the machine has nothing more to say or to hear.
error http2_client_connection::last_word() const {
    if (const auto& why = machine_.failure()) return *why;
    return {error_code::connection_closed, phase::read, culprit::peer, 0, "the server ended the connection"};
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void http2_client_connection::on_transport_ready(transport::readiness now) {
    if (now.writable && std::exchange(write_blocked_, false)) flush();
    if (now.readable && state_ == state::open) receive();
}

void http2_client_connection::receive() {
    while (state_ == state::open && transport_->maybe_readable()) {
        const scratch_lease scratch(environment_);
        auto got = transport_->read(scratch.space());
        if (!got) return lose(got.error(), idle_or(close_reason::transport_failed));
        if (got->what == transport::io_outcome::kind::would_block) break;
        if (got->what == transport::io_outcome::kind::end) {
            return lose({error_code::connection_closed, phase::read, culprit::peer, 0,
                         "the server closed the connection without sending a response"},
                        idle_or(close_reason::transport_failed));
        }
        in_machine_ = true;
        auto processed = machine_.receive({scratch.space().data(), got->size});
        in_machine_ = false;
        if (!processed) {
            flush();  // says why, if anybody still listens
            return lose(processed.error(), close_reason::protocol_error);
        }
        tell_invited();  // as long as what came lies where it was received
    }
    if (state_ == state::open) schedule_flush();
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void http2_client_connection::say_farewell() {
    machine_.go_away();
    std::string farewell;
    if (write_blocked_ || output_written_ < output_.size() || !machine_.send(farewell, output_at_once)) return;
    const std::string_view piece = farewell;
    (void)transport_->write({&piece, 1});  // whoever does not take it sees the end all the same
}

void http2_client_connection::close_transport() {
    if (!transport_) return;
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
}

}  // namespace pabal::connection
