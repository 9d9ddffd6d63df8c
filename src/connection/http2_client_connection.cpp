#include "connection/http2_client_connection.hpp"

#include <utility>

namespace pabal::connection {

namespace {

/// What is made ready for one write at the most: a few full TLS records.
constexpr std::size_t output_at_once = 64 * 1024;
/// So many times in one turn something is received for readers, of whom there are several.
constexpr unsigned served_in_a_turn = 4;

}  // namespace

http2_client_connection::http2_client_connection(environment& environment, transport::transport_ptr transport,
                                                 client_connection_observer& observer, const http2::limits& limits,
                                                 std::chrono::milliseconds ping_interval)
    : multiplexed_client_connection(environment, observer),
      transport_(std::move(transport)),
      machine_(transport_->describe().tls_version.empty() ? "http" : "https", *this, limits),
      moderation_(environment.reactor),
      liveness_(environment.reactor, *this, ping_interval) {
    transport_->observe(this);
    schedule_flush();  // our preface and SETTINGS need not wait for a request
}

bool http2_client_connection::usable() const noexcept {
    return state_ == state::open && !going_away_ && !liveness_.is_doubtful() && machine_.accepts_streams() &&
           on_wire_ < machine_.peer_capacity() && (exchanges_ > 0 || rest_left_ || !transport_->maybe_readable());
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
    if (state_ != state::open) return;
    moderation_.wait(*transport_, machine_.certain_to_come());
    if (machine_.is_over())
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

/// `enough`: what may be left off after.
void http2_client_connection::receive(received enough) {
    if (receiving_) return;
    receiving_ = true;
    rest_left_ = rest_is_next_ = false;
    unsigned served = 0;
    while (state_ == state::open && transport_->maybe_readable() && !rest_left_) {
        const received what = receive_once();
        if (what == received::nothing) break;
        if (what >= enough) rest_left_ = is_enough(++served);
    }
    receiving_ = false;
    if (state_ != state::open) return;
    rest_left_ = rest_left_ && transport_->maybe_readable();
    if (rest_left_) return environment_.reactor.defer(*this);
    moderation_.wait(*transport_, machine_.certain_to_come());
    schedule_flush();
}

/// Whether the rest can wait for those who read it. A lone reader takes it straight from the transport; what is received before
/// he comes back has to be kept for him, and is copied twice.
bool http2_client_connection::is_enough(unsigned served) const noexcept {
    return exchanges_ == 1 ? machine_.certain_to_come() > 0 : served >= served_in_a_turn;
}

void http2_client_connection::receive_more() {
    if (state_ != state::open || in_machine_ || exchanges_ != 1) return;
    receive(received::something);
    if (!rest_left_ && state_ == state::open && !machine_.wants_to_send()) reactor::deferred::unlink();
}

/// Readers come for the rest when this turn is over; when the next one is, it is received all the same: the peer may have asked
/// something.
void http2_client_connection::run_deferred() {
    flush();
    if (!rest_left_ || state_ != state::open) return;
    if (rest_is_next_) return receive();
    rest_is_next_ = true;
    environment_.reactor.defer(*this);
}

http2_client_connection::received http2_client_connection::receive_once() {
    const scratch_lease scratch(environment_);
    auto got = transport_->read(scratch.space());
    if (!got) return lose(got.error(), idle_or(close_reason::transport_failed)), received::nothing;
    if (got->what == transport::io_outcome::kind::would_block) return received::nothing;
    if (got->what == transport::io_outcome::kind::end) {
        lose({error_code::connection_closed, phase::read, culprit::peer, 0,
              "the server closed the connection without sending a response"},
             idle_or(close_reason::transport_failed));
        return received::nothing;
    }
    moderation_.received(got->size);
    in_machine_ = true;
    liveness_.heard();
    auto processed = machine_.receive({scratch.space().data(), got->size});
    in_machine_ = false;
    if (!processed) {
        flush();  // says why, if anybody still listens
        return lose(processed.error(), close_reason::protocol_error), received::nothing;
    }
    // As long as what came lies where it was received.
    return tell_invited() ? received::for_readers : received::something;
}

// --- Signs of life ---------------------------------------------------------------------------------------------------

void http2_client_connection::ask_for_life() {
    machine_.ping();
    schedule_flush();
}

void http2_client_connection::on_gone() {
    lose({error_code::connection_reset, phase::read, culprit::peer, 0,
          "the server did not answer a PING within " + std::to_string(liveness::patience.count() / 1000) +
              " s: the connection is taken for dead"},
         idle_or(close_reason::timed_out));
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
    moderation_.forget();
    liveness_.stop();
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
}

}  // namespace pabal::connection
