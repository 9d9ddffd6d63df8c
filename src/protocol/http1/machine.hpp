#pragma once
/// \file
/// HTTP/1.1 (RFC 9112) as a machine without input or output: bytes in, events and bytes out, either role.
///
///              send side                                   receive side
///   idle ── send_request/send_response ──▶ body      head ──▶ body ──▶ (trailers) ──▶ done
///     ▲                                      │         ▲                                │
///     └───────────── next_cycle() ◀──────── done       └────────── next_cycle() ◀───────┘
///   any fault of the peer ──▶ failed (receive side; the connection must be closed)
///   101, or 2xx to CONNECT ──▶ upgraded (bytes are no longer HTTP)
///
/// Receiving: the owner presents its unconsumed input; the machine answers with one step and says how many bytes of that
/// input it used up. Bytes it did not use are presented again, at the front of more. A head is used up only when it is
/// complete; the machine remembers how far it has looked, so that byte-by-byte arrival stays linear.
///
/// Strict by default (RFC 9112 sections 2.2, 5, 6, 7, 11): bare LF, obs-fold, white space before a colon, conflicting
/// framing, malformed chunk sizes and NUL/CR/LF anywhere in a field are the peer's fault, `malformed_message`; more than
/// `limits` allow is `head_too_large`; an end too early is `connection_closed` (in a head) or `body_incomplete`.
///
/// A client's exchange, from end to end:
///
///     http1::machine machine(http1::role::client);
///     machine.send_request(head, body.size(), out);             // head and framing → out
///     machine.send_data(body.size(), out), out += body;         // skip both without a body
///     machine.send_end(nullptr, out);                           // a no-op unless the body is chunked
///     for (;;) {
///         const http1::step step = machine.receive(input);      // also with empty input: `end` needs none
///         input.remove_prefix(step.used);
///         if (step.what == need_more) … read more behind what is left, or receive_end()
///         if (step.what == head)      … machine.take_response()
///         if (step.what == data)      … step.data
///         if (step.what == end)       break;
///     }
///     if (machine.reusable() == http1::reuse::yes) machine.next_cycle();
///
/// Our own misuse is told apart from the peer's faults: it is the error a send function returns (culprit::caller, nothing
/// written, nothing changed) and never makes the receive side fail.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/message.hpp>
#include <pabal/result.hpp>

#include "protocol/http1/chunked_decoder.hpp"
#include "protocol/http1/framing.hpp"
#include "protocol/http1/head_parser.hpp"
#include "protocol/http1/limits.hpp"

namespace pabal::http1 {

struct send_plan;

enum class role : std::uint8_t { client, server };

/// One step of receiving.
struct step {
    enum class kind : std::uint8_t {
        need_more,      ///< nothing can be said until more input is there (`used` may still be positive)
        head,           ///< take_request() (server) or take_response() (client)
        informational,  ///< client: a 1xx head other than 101; take_response()
        data,           ///< `data` is body content, a view into the input
        end,            ///< the message is complete; take_trailers()
        upgraded,       ///< after the head of a 101 or a tunnel: the rest of the input is not HTTP
        failed,         ///< failure() tells; nothing more can be received
    };
    kind what = kind::need_more;
    std::size_t used = 0;
    std::string_view data;
};

/// Why a connection can or cannot serve another exchange. Every reason has a name; the names reach logs and traces.
enum class reuse : std::uint8_t {
    yes,
    not_finished,     ///< a message is still under way in either direction
    peer_said_close,  ///< Connection: close, or HTTP/1.0 without keep-alive
    we_said_close,
    body_until_close,  ///< the response was delimited by the end of the connection
    unexpected_bytes,  ///< bytes after a complete response (to HEAD, 204, 304, or simply too many)
    protocol_error,
    upgraded,
};
std::string_view name_of(reuse verdict) noexcept;

class machine {
public:
    explicit machine(role role, const limits& limits = {});

    // --- Sending. Each appends what must go on the wire to `out`. ---

    /// Client: the head of a request. `body_size`: 0 none, nullopt unknown (Transfer-Encoding: chunked). The machine adds
    /// Content-Length or Transfer-Encoding itself when the caller did not; a caller's Content-Length gives a body of
    /// unknown size its size; one that contradicts `body_size`, a missing or second Host, or names/values/method/target
    /// that would corrupt the stream, is the caller's error. Body sizes given win over a caller's
    /// `Transfer-Encoding: chunked`.
    result<void> send_request(const request_head& head, std::optional<std::uint64_t> body_size, std::string& out);

    /// Server: an informational head (100, 103) … Nothing is written to an HTTP/1.0 client, which would not understand.
    result<void> send_informational(const response_head& head, std::string& out);
    /// … and the final one, framed by what the request was (no body for HEAD, 204, 304, 2xx to CONNECT). `close` adds
    /// Connection: close, as does a client that asked for it. HTTP/1.0 clients get an unknown-size body delimited by
    /// close. May be called before a request is complete, or after it failed (then it always closes). An empty reason
    /// becomes the standard one. 101 is for a complete request with Upgrade.
    result<void> send_response(const response_head& head, std::optional<std::uint64_t> body_size, bool close,
                               std::string& out);

    /// Announces `size` (> 0) bytes of body: appends what goes before them; `data_suffix` is what goes after. Sending
    /// more than Content-Length is the caller's error; with the last byte it announced the message is complete.
    result<void> send_data(std::uint64_t size, std::string& prefix);
    std::string_view data_suffix() const noexcept;
    /// Ends the message; does nothing where it is complete already. Sending less than Content-Length is the caller's
    /// error. Trailers go only with a chunked body and are dropped from any other.
    result<void> send_end(const fields* trailers, std::string& out);
    /// False where the message must not have content (response to HEAD, 204, 304 …): skip send_data.
    bool sends_body() const noexcept;

    // --- Receiving. ---

    step receive(std::string_view input);
    /// The peer closed its side. Ends a body that is delimited by close; otherwise fails if a message is under way.
    step receive_end();

    request_head take_request() noexcept { return std::move(request_); }
    response_head take_response() noexcept { return std::move(response_); }
    fields take_trailers() noexcept { return std::move(trailers_); }
    pabal::error& failure() noexcept { return failure_; }
    /// Server: the status with which to answer a failed request (400, 413, 414, 431, 501, 505).
    int failure_status() const noexcept { return failure_status_; }

    /// Content bytes that must follow contiguously (identity body of known length, or the rest of the current chunk);
    /// the owner may receive up to that many elsewhere and then report them by `received_directly`.
    std::uint64_t contiguous_body_remaining() const noexcept;
    void received_directly(std::uint64_t size) noexcept;

    /// Content-Length of the message being received, when it has one (also of a response without body).
    std::optional<std::uint64_t> announced_body_size() const noexcept { return cycle_.announced; }
    /// Server: the request asked for 100 (Continue) and nothing has answered that yet: no 100, no final response, and
    /// no content came without waiting.
    bool expects_continue() const noexcept { return cycle_.expects_continue; }
    bool receive_started() const noexcept { return cycle_.started; }  ///< any byte of the current message was seen
    bool received_all() const noexcept;
    bool sent_all() const noexcept;

    /// Both directions: what the framing and Connection fields of this cycle say about the next.
    reuse reusable() const noexcept;
    /// Begins the next exchange; only when reusable() is yes.
    void next_cycle() noexcept;

    // --- For the transition tables and their tests. ---

    /// The receive side's states, in the order of the transition table in the source.
    enum class receiving : std::uint8_t {
        head,         ///< or, for a client between messages, nothing
        sized,        ///< content of known length
        chunked,      ///< chunks up to the last
        until_close,  ///< content up to the end of the connection
        trailers,     ///< field lines after the last chunk
        ending,       ///< complete; `end` is the next step
        done,
        switching,  ///< `upgraded` is the next step
        upgraded,
        failed,
    };
    /// The send side's states.
    enum class sending : std::uint8_t { idle, sized, chunked, until_close, done, upgraded };

private:
    enum class event : std::uint8_t;

    result<void> begin_sending(const send_plan& plan, bool tunnels);
    result<void> send_error(std::string message) const;
    step receive_head(std::string_view input);
    step receive_trailers(std::string_view input);
    step receive_chunks(std::string_view input);
    step end_message(std::string_view rest);
    step accept_request(std::string_view head);
    step accept_response(std::string_view head);
    step enter_body(const head_facts& facts, const framing& framed, step::kind what, std::size_t used);
    step fail(fault found);
    step fail(error_code code, std::string message) { return fail({code, 400, std::move(message)}); }
    void on(event happened) noexcept;
    void count_content(std::uint64_t size) noexcept;
    std::string_view message_name() const noexcept;

    /// What belongs to one exchange and is forgotten by `next_cycle`.
    struct cycle {
        receiving receive = receiving::head;
        sending send = sending::idle;
        method_kind method = method_kind::other;
        http_version request_version = http_version::http_1_1;
        bool started = false;  // receiving
        bool asked_upgrade = false;
        bool expects_continue = false;
        bool final_response = false;  // its head was sent
        bool peer_closes = false;
        bool we_close = false;
        bool body_until_close = false;
        bool unexpected_bytes = false;
        std::uint8_t empty_lines = 0;
        std::uint8_t informational = 0;
        std::uint64_t receive_remaining = 0;
        std::uint64_t send_remaining = 0;
        std::optional<std::uint64_t> announced;
    };

    role role_;
    limits limits_;
    cycle cycle_;
    head_parser parser_;
    chunked_decoder chunks_;
    request_head request_;
    response_head response_;
    fields trailers_;
    pabal::error failure_;
    int failure_status_ = 400;
};

}  // namespace pabal::http1
