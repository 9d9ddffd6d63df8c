#pragma once
/// \file
/// One request and its response on a stream of a server's connection that carries many, whatever the HTTP version (RFC 9113
/// section 8.1, RFC 9114 section 4.1).
///
/// Who has answered may have left some of the request unread. A little more of it is taken in and thrown away, as many clients
/// read no answer before they have sent their request; who goes on is told that nobody needs it.
///
/// It stands between two ends that come and go by themselves: the machine, until its response has left or the stream was reset,
/// and the handler, until it has answered or was told that nobody listens. It is over when both are done with it.
///
/// What the machine tells it only takes notes of; the handler hears of it from `tell`, after the bytes at hand are processed,
/// when it may do to any connection whatever it likes.

#include <chrono>
#include <optional>
#include <string>

#include "base/block_pool.hpp"
#include "base/intrusive_list.hpp"
#include "connection/server_exchange.hpp"
#include "reactor/reactor.hpp"

namespace pabal::connection {

template <class Machine>
class multiplexed_server_connection;
struct stream_with_news;  ///< tag: streams whose handlers are to be told something

/// `Machine`: http2::machine or http3::machine.
template <class Machine>
class multiplexed_server_stream final : public base::recycled,
                                        public base::list_hook<>,
                                        public base::list_hook<stream_with_news>,
                                        public Machine::stream_type,
                                        public exchange_carrier {
public:
    explicit multiplexed_server_stream(multiplexed_server_connection<Machine>& owner) noexcept : owner_(owner) {}
    ~multiplexed_server_stream();

    /// Tells the handler what has happened.
    void tell();
    /// The connection ends: the machine and the handler, if at work, have to do with it no more.
    void abandon();

private:
    // From the machine.
    void on_request(request_head&& head, std::optional<std::uint64_t> body_size) override;
    void on_request_too_large() override;
    void on_data(std::string_view data) override;
    void on_end(fields&& trailers) override;
    void on_reset(error&& failure, bool unprocessed) override;
    result<read_outcome> read_body(std::span<char> buffer) override;
    bool has_given_all() const override { return response_ended_ && queued() == 0; }
    const fields* trailers() override { return &response_trailers_; }
    void on_sent() override;

    // From the handler.
    result<read_outcome> read_request(std::span<char> buffer) override;
    const fields* request_trailers() override { return &request_trailers_; }
    void send_informational(response_head&& head) override;
    void send_response(response_head&& head) override;
    flow send_data(std::string_view data) override;
    void send_end(fields&& trailers) override;
    void send_failure(error&& failure) override;

    void refuse(int status);
    void end_if_answered();
    void drain();
    void leave_machine(typename Machine::reason_type why = Machine::given_up);
    void leave_handler();
    void cancel_handler();
    responder* listener() const noexcept { return at_work_ ? exchange_->answered_by() : nullptr; }
    std::size_t arrived() const noexcept { return input_.size() - input_used_; }
    std::size_t queued() const noexcept { return output_.size() - output_used_; }
    bool may_resume() const noexcept;
    void watch_body();
    void watch_output();
    void on_body_late();
    void on_output_stuck();

    multiplexed_server_connection<Machine>& owner_;
    base::intrusive_ptr<server_exchange> exchange_;
    std::string input_;  ///< content that the handler has not read
    std::size_t input_used_ = 0;
    std::string output_;  ///< content that the machine has not taken
    std::size_t output_used_ = 0;
    fields request_trailers_;
    fields response_trailers_;
    bool on_machine_ = true;
    bool was_reset_ = false;  ///< by the client, or because it broke a rule
    bool at_work_ = false;    ///< the handler has the exchange …
    bool to_handle_ = false;  ///< … or gets it next
    bool request_ended_ = false;
    bool body_awaited_ = false;
    bool expects_continue_ = false;
    bool response_begun_ = false;
    bool response_ended_ = false;
    bool source_dry_ = false;  ///< the machine waits for more of the response
    bool handler_paused_ = false;
    bool draining_ = false;
    std::size_t drained_ = 0;
    bool was_taken_from_ = false;  ///< the response was, since the timer was set

    reactor::member_timer<multiplexed_server_stream, &multiplexed_server_stream::on_body_late> body_timer_{*this};
    reactor::member_timer<multiplexed_server_stream, &multiplexed_server_stream::on_output_stuck> output_timer_{*this};
};

}  // namespace pabal::connection
