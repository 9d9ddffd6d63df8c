#pragma once
/// \file
/// One request as its user sees it: it may take several exchanges (redirects, a replay on a fresh connection) but has one
/// beginning, one end, one time limit.
///
///   start ──▶ attempt ──▶ response head ──▶ challenge? retry? redirect? ──▶ drain ──▶ (pause) ──▶ attempt …
///                │                              │ no
///                │ stale connection: once       ├─▶ buffered: collect and decode the body ──▶ done
///                ├──────▶ attempt               └─▶ streamed: on_call_head, then read() until the end ──▶ done
///                │ retry?
///                └──────▶ pause ──▶ attempt
///   any error, cancel, total limit ──▶ done (failure())
///
/// Decisions are pure functions elsewhere (redirect.hpp, retry.hpp, the cookie jar); a call carries them out: call.cpp the
/// steps from its start to its end, call_head.cpp what each exchange asks, call_body.cpp what becomes of the response's body,
/// call_pause.cpp the waits between exchanges.
///
/// Threads: belongs to its session's reactor. Lifetime: reference counted; the session's handler holds a reference while an
/// exchange is under way.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <pabal/auth.hpp>
#include <pabal/handler.hpp>
#include <pabal/options.hpp>
#include <pabal/priority.hpp>
#include <pabal/proxy.hpp>
#include <pabal/trace.hpp>
#include <pabal/url.hpp>

#include "base/block_pool.hpp"
#include "base/byte_buffer.hpp"
#include "base/intrusive_list.hpp"
#include "client/call_content.hpp"
#include "client/redirect.hpp"
#include "client/retry.hpp"
#include "protocol/http/content_coding.hpp"
#include "reactor/reactor.hpp"
#include "transport/tls_context.hpp"

namespace pabal::client {

class session;
class call;

/// Told about a call's progress, on the session's reactor. All but on_call_done concern streamed calls.
class call_observer {
public:
    virtual void on_call_head(call&) {}
    virtual void on_call_readable(call&) {}
    /// Finished (`failure()` is empty) or failed. Called exactly once unless the call is cancelled; nothing follows.
    virtual void on_call_done(call& done) = 0;
    /// A streamed request body: as exchange::read_request_body; say `body_ready()` after would_block.
    virtual result<read_outcome> read_call_body(call&, std::span<char>) {
        return read_outcome{read_outcome::kind::end, 0};
    }
    /// What to send after a streamed request body, asked for once at its end; null: `call_request::trailers`.
    virtual const fields* call_trailers(call&) { return nullptr; }
    /// Puts a streamed request body back to its beginning; false if that cannot be done.
    virtual bool rewind_call_body(call&) { return false; }

protected:
    ~call_observer() = default;
};

/// A response on the way to the final one.
struct hop {
    url location;
    std::string method;
    response_head response;
};

/// What is asked. Filled in before `start`.
struct call_request {
    std::string method = "GET";
    url location;
    fields headers;                     ///< given for this call; they replace session defaults of the same name
    bool headers_are_complete = false;  ///< the session's defaults are already in `headers` (or deliberately not)
    /// Exactly what is written here goes out, besides Host and framing: no defaults and cookies of the session, no
    /// credentials of the URL; and the session keeps no cookies of the response. A body that only the end of the connection
    /// delimits may end without TLS's close_notify. For callers with session rules of their own, such as the faces.
    bool as_told = false;
    std::string cookies;                         ///< "a=1; b=2" given for this call; never sent to another origin
    call_content body;                           ///< in memory, unless streamed
    std::optional<std::uint64_t> streamed_size;  ///< streamed body of known size
    bool streams_body = false;                   ///< the body comes from call_observer::read_call_body
    timeouts limits;
    bool follow_redirects = true;
    int max_redirects = 30;
    bool streams_response = false;
    std::shared_ptr<const transport::tls_context> tls;  ///< for https; null: the session's
    std::shared_ptr<const proxy_rules> proxies;         ///< instead of the session's (which they may fall back on)
    std::shared_ptr<const transport::tls_context> proxy_tls;  ///< for proxies that speak TLS; null: the session's
    std::shared_ptr<const retry_policy> retries;              ///< null: what failed has failed
    credentials_ptr auth;  ///< for the first origin only; null: the session's, if any
    /// Bytes of the response's body at most, kept or streamed; unset: the session's limits.
    std::optional<std::uint64_t> max_body;
    /// Sent as the Priority field (RFC 9218) where it is not given; valid.
    std::optional<pabal::priority> priority;
    /// A body asks for 100 (Continue) before it is sent, and is held back that long at most (RFC 9110 section 10.1.1). Set:
    /// the field is added where it is not given.
    std::optional<std::chrono::milliseconds> continue_wait;
    /// Sent after the body, which is chunked then (RFC 9110 section 6.5); checked by `http1::check_trailers`.
    fields trailers;
};

/// Links the calls of a session that wait between two exchanges.
struct paused;
class rate_queue;

class call final : public exchange, public base::recycled, public base::list_hook<paused> {
public:
    call(call_request asked, call_observer* observer);
    ~call() override;

    /// A call that is over: how a hop of the history is shown as a response.
    static base::intrusive_ptr<call> answered(call_request asked, response_head response);

    /// Begins it, on the session's reactor; the session must outlive the call or close its engine first.
    void start(session& carrier);
    /// Ends it now without any further notification. Idempotent.
    void cancel();
    /// Who is told from now on; null for nobody.
    void observe(call_observer* observer) noexcept { observer_ = observer; }

    bool is_done() const noexcept { return state_ == state::done; }
    bool has_head() const noexcept { return state_ == state::streaming || (is_done() && response_.status != 0); }
    const std::optional<error>& failure() const noexcept { return failure_; }

    /// The final response. Valid once has_head().
    response_head& response() noexcept { return response_; }
    base::byte_buffer& body() noexcept { return body_; }
    const url& location() const noexcept { return asked_.location; }
    /// Where the call began, before redirects.
    const url& first_location() const noexcept {
        return history_.empty() ? asked_.location : history_.front().location;
    }
    const call_request& asked() const noexcept { return asked_; }
    /// The proxy of the current attempt; null: direct.
    const std::shared_ptr<const proxy>& via() const noexcept { return via_; }
    std::vector<hop>& history() noexcept { return history_; }
    const fields& trailers() const noexcept { return trailers_; }
    /// The 1xx responses before `response()`, oldest first (RFC 9110 section 15.2); of the last exchange only.
    const std::vector<response_head>& informational() const noexcept { return informational_; }
    std::chrono::nanoseconds elapsed() const noexcept { return elapsed_; }
    /// The attempts before the last one, oldest first; redirects and the replay of a stale connection are none.
    std::span<const retried> attempts() const noexcept {
        return pausing_ ? std::span<const retried>(pausing_->history) : std::span<const retried>();
    }
    /// What happened so far; complete when the call is done.
    pabal::trace trace() const;
    /// True when a request had to be sent more than once, redirects apart.
    bool was_repeated() const noexcept { return repeated_; }

    /// Streamed response: the next decoded bytes; `would_block` is followed by on_call_readable. After an error or the end
    /// the call is done.
    result<read_outcome> read(std::span<char> buffer);
    /// Streamed response: `read` gives the bytes as they came, content codings and all. False when decoding has begun.
    bool keep_encoded();
    /// The observer's read_call_body may have more now.
    void body_ready();
    /// For readers that keep the whole of a streamed body: whether it grew beyond the session's limit, and what to say then.
    bool body_exceeds_limit() const noexcept;
    error too_large() const { return larger_than(max_body_); }
    /// The session could not send it at all, or not go on with it.
    void fail_before_sending(error failure) { fail(std::move(failure)); }

    /// The session says: its time has come.
    void end_pause();

private:
    enum class state : std::uint8_t { prepared, waiting, collecting, skipping, pausing, streaming, done };

    /// What only a call has that pauses.
    struct pausing final : reactor::timer {
        explicit pausing(call& of) noexcept : owner(of) {}
        void on_timer() override { owner.on_pause_over(); }
        call& owner;
        std::vector<retried> history;
        std::optional<std::chrono::milliseconds> wait;  ///< for a retry, to begin when the refused response is skipped
        rate_queue* in_line = nullptr;                  ///< it waits for its turn there
        reactor::time_point since;
    };

    // exchange
    result<read_outcome> read_request_body(std::span<char> buffer) override;
    const fields* request_trailers() override;
    delivery on_response(response_head&& head) override;
    std::span<char> body_space(std::size_t at_most) override;
    flow on_data(std::string_view data) override;
    void on_readable() override;
    void on_informational(response_head&& head) override;
    void on_alternative_services(std::string_view value) override;
    void on_end(fields&& trailers) override;
    void on_error(error&& failure) override;

    void attempt();
    void send();
    exchange_trace trace_exchange(int status, const error* failure) const;
    void build_request();
    void address_to_proxy();
    bool may_replay(const error& failure) const noexcept;
    bool is_end_enough(const error& failure) const noexcept;
    result<read_outcome> pull(responder& answering, std::span<char> buffer);
    bool rewind_body();
    bool follow(response_head&& head);
    credentials* credentials_here() const noexcept;
    bool was_protected() const noexcept;
    void authorize();
    std::string netrc_credentials() const;
    bool answer_challenge(const response_head& head);
    bool stop_expecting(const response_head& head);
    bool leave_coalesced_connection(const response_head& head);
    bool came_too_early(const response_head& head);
    bool went_astray(const response_head& head);
    bool try_again_after(const response_head& head);
    bool try_again_after(const error& failure);
    bool plan_again(retry_question asked);
    void skip_response();
    void end_skipping();
    void next_hop();
    void pause(std::chrono::milliseconds wait);
    bool wait_for_turn();
    void on_pause_over();
    void leave_pause() noexcept;
    pausing& pauses();
    result<void> prepare_decoder();
    result<void> begin_body();
    error larger_than(std::uint64_t limit) const;
    result<void> decode(std::string_view data);
    void tell_readable();
    flow keep_pushed(std::string_view data);
    bool resume_pushing();
    result<read_outcome> read_plain(std::span<char> buffer);
    result<read_outcome> read_decoded(std::span<char> buffer);
    void finish();
    void fail(error failure);
    void give_up(error failure);
    void settle();
    void on_total_timeout();

    session* session_ = nullptr;
    reactor::reactor* reactor_ = nullptr;  ///< the engine's, which may tell of its end after the session's
    std::uint64_t max_body_ = 0;           ///< kept in memory
    std::uint64_t max_streamed_ = 0;       ///< given to a reader
    std::uint64_t received_ = 0;           ///< of the response's body, before content codings are removed
    std::uint64_t given_ = 0;              ///< of a streamed response's body, to its reader
    call_request asked_;
    call_observer* observer_;
    std::shared_ptr<const proxy> via_;
    state state_ = state::prepared;
    bool replayed_ = false;
    bool repeated_ = false;
    bool sends_again_ = false;              ///< at once, for the server has just asked who we are, or refused to wait
    bool is_unexpecting_ = false;           ///< the server knows no 100 (Continue)
    std::uint8_t answered_challenges_ = 0;  ///< at this place, by this call
    bool body_is_gone_ = false;             ///< a retry was due, but a streamed request body could not be put back
    bool body_read_ = false;                ///< a streamed request body was read from
    std::size_t body_given_ = 0;            ///< of a body in memory, to a handler that reads it
    bool leaves_origin_ = false;            ///< credentials given for the first origin stay there
    bool raw_ended_ = false;                ///< streamed: every encoded byte is here
    bool decoding_began_ = false;           ///< streamed: the reader was given decoded bytes
    bool reading_ = false;                  ///< streamed: inside `read`, which looks for itself what became readable
    bool push_paused_ = false;              ///< streamed: a responder that pushes was told to pause
    std::optional<error> failure_;
    response_head response_;
    base::byte_buffer body_;
    fields trailers_;
    std::vector<response_head> informational_;
    std::vector<hop> history_;
    std::vector<exchange_trace> earlier_;  ///< exchanges before the current one
    std::optional<redirect> next_;         ///< while a redirect's body is skipped
    std::unique_ptr<pausing> pausing_;
    std::size_t skipped_ = 0;
    std::optional<http::content_decoder> decoder_;
    base::byte_buffer encoded_;  ///< streamed: received, not yet decoded (or read, when it was pushed)
    std::size_t encoded_used_ = 0;
    reactor::time_point started_;
    std::chrono::nanoseconds elapsed_{0};
    reactor::member_timer<call, &call::on_total_timeout> total_timer_{*this};
};

using call_ptr = base::intrusive_ptr<call>;

}  // namespace pabal::client
