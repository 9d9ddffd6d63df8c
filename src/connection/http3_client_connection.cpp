#include "connection/http3_client_connection.hpp"

#include <memory>
#include <utility>

namespace pabal::connection {

http3_client_connection::http3_client_connection(environment& environment, std::unique_ptr<http3_link> link,
                                                 client_connection_observer& observer)
    : multiplexed_client_connection(environment, observer),
      link_(std::move(link)),
      liveness_(environment.reactor, *this, std::chrono::milliseconds(0)),
      began_early_(!link_->is_established()) {
    link_->observe(this);
    link_->http().observe(this);
    if (began_early_) environment.reactor.set_timer_in(patience_, handshake_patience);
    schedule_flush();  // the end of the handshake and our SETTINGS need not wait for a request
}

http3_client_connection::~http3_client_connection() {
    link_->observe(nullptr);
    link_->http().observe(nullptr);
}

bool http3_client_connection::usable() const noexcept {
    return state_ == state::open && !going_away_ && !liveness_.is_doubtful() && !link_->is_silent() &&
           link_->http().accepts_streams() && on_wire_ < capacity();
}

void http3_client_connection::on_link_ready() {
    for (bool more = true; more && state_ == state::open;) {
        in_machine_ = true;
        const bool was_silent = link_->is_silent();
        const auto advanced = link_->advance();
        if (link_->take_news()) {
            liveness_.heard();
            if (was_silent) tell_room();
        }
        in_machine_ = false;
        if (!advanced) {
            (void)link_->flush();  // says why, if anybody still listens
            return end_for(advanced.error());
        }
        more = *advanced;
        if (link_->is_established()) patience_.cancel();
        tell_invited();
        flush();
    }
}

/// A server may take up neither what came early nor the session that it came with.
void http3_client_connection::confirm_facts() {
    if (!facts || !link_->is_established() || !std::exchange(began_early_, false)) return;
    transport::transport_description described = link_->describe();
    auto confirmed = std::make_shared<connection_facts>(*facts);
    confirmed->tls_session_resumed = described.tls_session_resumed;
    confirmed->cipher = std::move(described.cipher);
    confirmed->encrypted_client_hello = described.encrypted_client_hello;
    facts = std::move(confirmed);
}

void http3_client_connection::flush() {
    if (state_ != state::open || in_machine_) return;
    link_->quic().keep_alive(exchanges_ > 0);
    in_machine_ = true;
    const auto flushed = link_->flush();
    in_machine_ = false;
    if (!flushed) return end_for(flushed.error());
    note_written();
    tell_invited();
}

void http3_client_connection::on_no_handshake() {
    end_for({error_code::connect_failed, phase::connect, culprit::network, 0,
             "the server does not answer over QUIC any more"});
}

void http3_client_connection::on_gone() {
    lose({error_code::connection_reset, phase::read, culprit::peer, 0,
          "the server gave no sign of life within " + std::to_string(liveness::patience.count() / 1000) +
              " s: the connection is taken for dead"},
         idle_or(close_reason::timed_out));
}

void http3_client_connection::end_for(const error& why) {
    if (!link_->is_established()) {
        link_->forget_sessions();
        return lose(why, close_reason::transport_failed, true);
    }
    if (why.code == error_code::malformed_message) return lose(why, close_reason::protocol_error);
    lose(why, idle_or(going_away_ ? close_reason::peer_said_close : close_reason::transport_failed));
}

void http3_client_connection::say_farewell() {
    link_->http().go_away();
    (void)link_->flush();
}

/// Streams may still be let go of: the link stays until this object goes, and tells nobody anything.
void http3_client_connection::close_transport() {
    patience_.cancel();
    liveness_.stop();
    link_->observe(nullptr);
    link_->http().observe(nullptr);
}

}  // namespace pabal::connection
