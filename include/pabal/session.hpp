#pragma once
/// \file
/// The blocking client: `pabal::session` in C++.
///
///     pabal::session session;
///     auto response = session.get("https://example.com/price");
///     if (!response) return std::println("{}", response.error().message), 1;
///     use(response->body);
///
/// A session may be used from many threads at once; they share its connections. Nothing throws but std::bad_alloc; what
/// can fail returns `result`. For C++20 coroutines see coroutine.hpp.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/auth.hpp>
#include <pabal/content_coding.hpp>
#include <pabal/message.hpp>
#include <pabal/options.hpp>
#include <pabal/priority.hpp>
#include <pabal/proxy.hpp>
#include <pabal/quic.hpp>
#include <pabal/rate_limit.hpp>
#include <pabal/result.hpp>
#include <pabal/retry.hpp>
#include <pabal/safe_resolver.hpp>
#include <pabal/tls.hpp>
#include <pabal/trace.hpp>

namespace pabal {

/// A request as a session is asked for it.
struct request {
    std::string method = "GET";
    std::string url;
    fields headers;  ///< replace the session's defaults of the same name
    std::string body;
    timeouts limits;
    bool follow_redirects = true;
    int max_redirects = 30;
    proxy_rules proxies;  ///< asked before the session's; `proxy_rules(*proxy::parse(url))` is one for everything
    std::optional<retry_policy> retries;  ///< none: what failed has failed
    credentials_ptr auth;                 ///< for the origin of `url` only, unless they name places
    /// Sent as the Priority field, if `headers` have none. An urgency beyond 7 is `invalid_argument`.
    std::optional<pabal::priority> priority;
    /// Bytes of the response's body at most, content codings removed; unset: `session_limits::max_body`.
    std::optional<std::uint64_t> max_body;
    /// The body is sent in this coding, with Content-Encoding to say so.
    std::optional<content_coding> compress;
    /// Have the server say whether it wants the body (`Expect: 100-continue`, RFC 9110 section 10.1.1), but wait no longer
    /// than this for its word. A server that refuses the expectation (417) is asked again without it.
    std::optional<std::chrono::milliseconds> continue_wait;
    /// Sent after the body, which is chunked then, and announced by Trailer (RFC 9110 section 6.5).
    fields trailers;
};

/// A complete response; `body` has its content codings removed.
struct response {
    int status = 0;
    std::string reason;
    http_version version = http_version::http_1_1;
    fields headers;
    std::string body;
    fields trailers;
    /// What came before it: 100 (Continue), 103 (Early Hints) and their kin (RFC 9110 section 15.2). At most 32.
    std::vector<response_head> informational;
    std::string url;  ///< where it came from, after redirects
    std::vector<std::string> redirected_from;
    std::chrono::nanoseconds elapsed{0};  ///< to the arrival of the head
    pabal::trace trace;                   ///< when what happened
};

struct session_options {
    session_limits limits;
    http_versions versions;
    tls_options tls;                                ///< its `application_protocols` are those of `versions`
    std::shared_ptr<rate_limiter> rate_limit;       ///< or null
    std::shared_ptr<const safe_resolver> resolver;  ///< or null: any address may be connected to
    /// The address of this machine that connections leave from, as text; empty: whichever the system chooses. Only addresses
    /// of its family are connected to; "0.0.0.0" and "::" ask for no more than that.
    std::string local_address;
    /// A file in which what origins say of Alt-Svc (RFC 7838) outlives the session, in the format of curl's cache, which may be the
    /// same file; empty: nothing does. It is read when the session is made (it may be missing, but not its folder), and written
    /// when it is closed or destroyed, if origins said anything; what cannot be written then is lost without a word. It names the
    /// hosts that were asked, and is made readable for its owner only. Of use where HTTP/3 is one of several `versions`.
    std::string alternatives_file;
    quic_options quic;  ///< of connections that speak HTTP/3
    fields headers;     ///< added to (or replacing) the default User-Agent, Accept and Accept-Encoding
    proxy_rules proxies;
    /// Behind `proxies`: those of http_proxy, https_proxy, all_proxy and no_proxy, as they are when the session is made.
    bool proxies_from_environment = true;
};

/// Any number of threads may use one. In a forked child it goes on with connections of its own; the parent is not disturbed.
class session {
public:
    explicit session(session_options options = {});
    /// Ends requests of other threads with `session_closed`.
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Sends and waits for the whole response. Any status is a response, not an error.
    result<response> send(request asked);
    result<response> get(std::string_view url);
    result<response> post(std::string_view url, std::string body, std::string_view content_type);

    /// Closes every connection; what is under way or comes later fails with `session_closed`. Writes `alternatives_file`.
    void close();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pabal
