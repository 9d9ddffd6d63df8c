#include "connection/http2_client_connection.hpp"

#include <utility>

#include "connection/client_rules.hpp"

namespace pabal::connection {

namespace {

/// What is made ready for one write at the most: a few full TLS records.
constexpr std::size_t output_at_once = 64 * 1024;

}  // namespace

http2_client_connection::http2_client_connection(environment& environment, transport::transport_ptr transport,
                                                 client_connection_observer& observer, const http2::limits& limits)
    : environment_(environment),
      transport_(std::move(transport)),
      observer_(observer),
      machine_(transport_->describe().tls_version.empty() ? "http" : "https", *this, limits) {
    transport_->observe(this);
    schedule_flush();  // our preface and SETTINGS need not wait for a request
}

http2_client_connection::~http2_client_connection() {
    while (!streams_.empty()) delete &streams_.pop_front();
}

bool http2_client_connection::usable() const noexcept {
    return state_ == state::open && !going_away_ && machine_.accepts_streams() && on_wire_ < machine_.peer_capacity() &&
           (exchanges_ > 0 || !transport_->maybe_readable());
}

transport::transport_description http2_client_connection::describe() const {
    return transport_ ? transport_->describe() : transport::transport_description{};
}

void http2_client_connection::start(exchange_ptr started) {
    started->on_reused_connection = std::exchange(served_before_, true);
    started->connection = facts;
    auto* made = new http2_client_stream(*this, std::move(started));
    streams_.push_back(*made);
    ++exchanges_;
    ++on_wire_;
    if (auto opened = made->open(); !opened) {
        --on_wire_;
        return made->fail(std::move(opened).error());
    }
    fresh_.push_back(*made);
    if (exchanges_ == 1) return flush();
    schedule_flush();
}

void http2_client_connection::forget(http2_client_stream& done) {
    static_cast<base::list_hook<>&>(done).unlink();
    static_cast<base::list_hook<fresh_stream>&>(done).unlink();
    static_cast<base::list_hook<invited_stream>&>(done).unlink();
    --exchanges_;
    environment_.reactor.retire(std::unique_ptr<http2_client_stream>(&done));
    if (state_ == state::open) return tell_room();
    if (state_ == state::lost && exchanges_ == 0) close_now(lost_for_);
}

void http2_client_connection::on_capacity_changed() { tell_room(); }

/// A place is free. While the machine is at work nobody is told: the rest may change the picture.
void http2_client_connection::tell_room() {
    if (in_machine_) {
        room_to_tell_ = true;
        return;
    }
    if (exchanges_ == 0 && (going_away_ || !machine_.accepts_streams()))
        return close_now(close_reason::peer_said_close);
    observer_.on_room(*this);
}

void http2_client_connection::invite_later(http2_client_stream& ready) {
    auto& place = static_cast<base::list_hook<invited_stream>&>(ready);
    if (!place.is_linked()) invited_.push_back(ready);
}

void http2_client_connection::tell_invited() {
    while (!invited_.empty()) invited_.pop_front().invite();
    if (state_ == state::open && std::exchange(room_to_tell_, false)) tell_room();
}

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
        while (!fresh_.empty()) fresh_.pop_front().note_written();
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

/// Whatever happens to a connection that nobody uses, its peer has closed it.
close_reason http2_client_connection::idle_or(close_reason reason) const noexcept {
    return exchanges_ == 0 ? close_reason::peer_closed_idle : reason;
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

void http2_client_connection::close(close_reason reason) {
    if (state_ == state::closed) return;
    if (state_ == state::open && !in_machine_) {
        machine_.go_away();
        std::string farewell;
        if (!write_blocked_ && output_written_ == output_.size() && machine_.send(farewell, output_at_once)) {
            const std::string_view piece = farewell;
            (void)transport_->write({&piece, 1});  // whoever does not take it sees the end all the same
        }
    }
    base::intrusive_list<http2_client_stream> failed;
    failed.splice_back(streams_);
    close_now(reason);
    while (!failed.empty()) failed.front().fail(closed_by_us(reason));
}

void http2_client_connection::lose(const error& failure, close_reason reason) {
    if (state_ != state::open) return;
    state_ = state::lost;
    lost_for_ = reason;
    close_transport();
    base::intrusive_list<http2_client_stream> left;
    left.splice_back(streams_);
    while (!left.empty() && state_ == state::lost) {
        http2_client_stream& next = left.pop_front();
        streams_.push_back(next);
        next.lose(failure);
    }
    if (state_ == state::lost && exchanges_ == 0) close_now(reason);
    tell_invited();
}

/// Frames of the transport may be below us on the stack: it is closed now and freed when the turn is over.
void http2_client_connection::close_transport() {
    if (!transport_) return;
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
}

void http2_client_connection::close_now(close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    close_transport();
    observer_.on_closed(*this, reason);
}

}  // namespace pabal::connection
