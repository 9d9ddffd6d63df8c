#pragma once
/// \file
/// One request and its response on a stream of an HTTP/2 server's connection (RFC 9113 section 8.1).
///
/// What the machine tells it only takes notes; the handler hears of it from `tell`, after the bytes at hand are processed, when
/// it may do to any connection whatever it likes.

#include <optional>
#include <string>

#include "base/intrusive_list.hpp"
#include "connection/server_exchange.hpp"
#include "protocol/http2/stream.hpp"
#include "reactor/reactor.hpp"

namespace pabal::connection {

class http2_server_connection;
struct stream_with_news;  ///< tag: streams whose handlers are to be told something

class http2_server_stream final : public base::list_hook<>,
                                  public base::list_hook<stream_with_news>,
                                  public http2::stream,
                                  public exchange_carrier {
public:
    explicit http2_server_stream(http2_server_connection& owner) noexcept : owner_(owner) {}
    ~http2_server_stream() { abandon(); }

    /// Tells the handler what has happened.
    void tell();
    /// The connection is gone: the handler, if at work, is not called any more.
    void abandon();

private:
    // From the machine.
    void on_request(request_head&& head, std::optional<std::uint64_t> body_size) override;
    void on_bad_request(int status) override;
    void on_data(std::string_view data) override;
    void on_end(fields&& trailers) override;
    void on_reset(error&& failure, bool unprocessed) override;
    result<read_outcome> read_body(std::span<char> buffer) override;
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
    void give_up(http2::error_reason why);
    void leave();
    void let_go();
    void leave_if_over();
    std::size_t arrived() const noexcept { return input_.size() - input_used_; }
    std::size_t queued() const noexcept { return output_.size() - output_used_; }
    void watch(std::chrono::milliseconds limit);
    void on_timer_expired();

    http2_server_connection& owner_;
    base::intrusive_ptr<server_exchange> exchange_;  ///< until the handler has answered, or nobody listens
    std::string input_;                              ///< content that the handler has not read
    std::size_t input_used_ = 0;
    std::string output_;  ///< content that the machine has not taken
    std::size_t output_used_ = 0;
    fields request_trailers_;
    fields response_trailers_;
    bool on_machine_ = true;
    bool to_handle_ = false;
    bool reset_ = false;
    bool request_ended_ = false;
    bool body_awaited_ = false;
    bool expects_continue_ = false;
    bool response_begun_ = false;
    bool response_ended_ = false;
    bool sends_body_ = false;
    bool source_dry_ = false;  ///< the machine waits for more of the response
    bool handler_paused_ = false;
    bool took_ = false;  ///< something was taken of the response since the timer was set

    reactor::member_timer<http2_server_stream, &http2_server_stream::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
