#pragma once
/// \file
/// One exchange on a connection that carries many, whatever the HTTP version: what arrives for it goes to its requester, as
/// pushed or as pulled, and no faster than that one takes it (RFC 9113 section 5.2, RFC 9000 section 4.1).
///
/// What a requester who pauses or pulls has not taken yet is kept here. The stream's window bounds how much that can be: it
/// opens as he takes it, and a little ahead of him, so that one who keeps up never stops the peer.

#include <cstdint>
#include <optional>
#include <string_view>

#include <pabal/handler.hpp>

#include "base/block_pool.hpp"
#include "base/intrusive_list.hpp"
#include "connection/unread_content.hpp"
#include "reactor/reactor.hpp"

namespace pabal::connection {

template <class Machine>
class multiplexed_client_connection;
struct fresh_stream;    ///< tag: streams of whose request nothing was written yet
struct invited_stream;  ///< tag: streams whose requester is to be told that there is something to pull

/// `Machine`: http2::machine or http3::machine.
template <class Machine>
class multiplexed_client_stream final : public base::recycled,
                                        public Machine::stream_type,
                                        public responder,
                                        public base::list_hook<>,
                                        public base::list_hook<fresh_stream>,
                                        public base::list_hook<invited_stream> {
public:
    multiplexed_client_stream(multiplexed_client_connection<Machine>& owner, exchange_ptr started);

    /// Whether it cannot be opened before the peer's SETTINGS have come (RFC 8441 section 3): they are waited for as for progress.
    bool needs_settings() const noexcept { return !exchange_->request.protocol.empty(); }
    void await_settings() { expect_progress(); }
    /// Opens the stream. An error is the caller's, and nothing was sent.
    result<void> open();
    /// The exchange ends with `failure`.
    void fail(error failure);
    /// The connection is gone: so is the exchange, but for what can still be taken of it.
    void lose(const error& failure, bool unprocessed);
    /// The request, or its beginning, was written to the transport.
    void note_written();
    /// Tells the requester, who pulls, that trying again is worthwhile; what he does not take is kept.
    void invite();

    void cancel(exchange& cancelled) override;
    void resume(exchange& paused) override;
    result<read_outcome> read_response(exchange& pulled, std::span<char> buffer) override;
    void request_body_ready(exchange& waiting) override;

private:
    /// Who moves response bytes on.
    enum class receiving : std::uint8_t { push, paused, pull };

    // http::message_stream
    void on_informational(response_head&& head) override;
    void on_alternative_services(std::string_view value) override { exchange_->on_alternative_services(value); }
    void on_response(response_head&& head) override;
    void on_data(std::string_view data) override;
    void on_end(fields&& trailers) override;
    void on_reset(error&& failure, bool unprocessed) override;
    result<read_outcome> read_body(std::span<char> buffer) override;
    const fields* trailers() override;

    void push(std::string_view data);
    std::size_t receive_into(std::span<char> buffer);
    void hand_over(std::string_view data);
    void invite_later();
    void open_window();
    void leave_wire();
    void note_unprocessed();
    exchange_ptr detach();
    void complete();

    void expect_progress();
    bool owes_response() const noexcept { return this->sent_all() || (awaiting_continue_ && head_received_); }
    void watch_until(reactor::time_point deadline);
    void on_timer_expired();

    multiplexed_client_connection<Machine>& owner_;
    exchange_ptr exchange_;
    receiving receiving_ = receiving::push;
    bool on_wire_ = false;  ///< the machine knows of it
    bool head_received_ = false;
    bool awaiting_continue_ = false;
    bool source_dry_ = false;      ///< the request body's source said would_block
    bool consumer_waits_ = false;  ///< pull: the last read found nothing, so silence of the peer counts against it
    bool ended_ = false;           ///< the response is complete, but for what is unread
    fields trailers_;
    std::optional<error> failure_;  ///< to be told after what is unread
    std::string_view body_left_;    ///< of a request body in memory
    unread_content unread_;
    std::optional<std::span<char>> wanted_;  ///< a reader stands here and takes what comes now, up to so much
    std::uint64_t received_ = 0;             ///< bytes of the body
    std::uint64_t credited_ = 0;             ///< of them, those for which the peer was allowed others

    reactor::time_point progress_;
    reactor::time_point timer_due_;
    reactor::member_timer<multiplexed_client_stream, &multiplexed_client_stream::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
