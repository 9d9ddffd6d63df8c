#pragma once
/// \file
/// URLs of requests: RFC 3986, as far as a client of HTTP needs it.
///
/// `url` keeps the bytes it was given. A signed URL is sent as it was signed: nothing is decoded, re-encoded, re-ordered or
/// normalised, except what cannot go on the wire as it is (see `target`). What must be comparable — scheme, host, port —
/// is normalised beside the text: `text()` is what you gave, `host()` is what you meant.
///
/// Accepted: absolute URLs with an authority, schemes http, https, ws, wss and http+unix
/// (`http+unix://%2Frun%2Fapp.sock/path`: the host is the percent-encoded path of a Unix socket).
/// Refused with `error_code::invalid_url` (a scheme nobody here speaks: `unsupported`), the caller's fault, before anything
/// is sent: controls anywhere; white space around the URL or in its authority; a backslash in the authority; an empty or
/// impossible host; hosts that other software would read as an IPv4 address but that are not one in dotted decimal
/// (`127.1`, `0177.0.0.1`, `0x7f.1`, `2130706433`); bad ports; bad IPv6 literals. Messages never repeat userinfo.
///
/// One allocation holds everything; views returned live as long as the object they come from is neither changed nor moved.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

namespace pabal {

enum class url_scheme : std::uint8_t { http, https, ws, wss, http_unix };

/// The longest URL parsed, in bytes. Servers refuse far shorter ones; this keeps a hostile Location cheap.
inline constexpr std::size_t max_url_size = std::size_t{1} << 20U;

class url {
public:
    static result<url> parse(std::string_view text);

    /// The bytes that were given to `parse`.
    std::string_view text() const noexcept { return {store_.data(), text_size_}; }

    url_scheme scheme_id() const noexcept { return scheme_; }
    /// Lower-case name of the scheme.
    std::string_view scheme() const noexcept;
    bool is_secure() const noexcept { return scheme_ == url_scheme::https || scheme_ == url_scheme::wss; }

    /// What stands before the '@', as given; empty when there is nothing.
    std::string_view userinfo() const noexcept { return view(userinfo_); }
    bool has_userinfo() const noexcept { return has_userinfo_; }
    /// The two halves of userinfo, percent-decoded. No password means no ':' was there.
    std::string username() const;
    std::optional<std::string> password() const;

    /// Lower-case; internationalised names as A-labels (RFC 5890); IPv6 without brackets in the form of RFC 5952, a zone
    /// after '%'. A trailing dot is kept. "localhost" for http+unix.
    std::string_view host() const noexcept { return view(host_); }
    bool host_is_ipv4() const noexcept { return host_kind_ == host_kind::ipv4; }
    bool host_is_ipv6() const noexcept { return host_kind_ == host_kind::ipv6; }
    /// Decoded path of the socket, without a final NUL, when the scheme is http+unix; else empty.
    std::string_view unix_path() const noexcept { return view(unix_path_); }

    /// The port to connect to: the explicit one or the scheme's.
    std::uint16_t port() const noexcept { return port_; }
    std::optional<std::uint16_t> explicit_port() const noexcept {
        return has_port_ ? std::optional<std::uint16_t>{port_} : std::nullopt;
    }

    /// As given: path with its slash (or empty), query without '?', fragment without '#'.
    std::string_view path() const noexcept { return view(path_); }
    std::string_view query() const noexcept { return view(query_); }
    std::string_view fragment() const noexcept { return view(fragment_); }
    bool has_query() const noexcept { return has_query_; }
    bool has_fragment() const noexcept { return has_fragment_; }

    /// Origin-form request target (RFC 9112 section 3.2.1): path and query as given, "/" for an empty path. Bytes that a
    /// target cannot contain (space, non-ASCII, and `"<>\^` with `` `{|} ``) are percent-encoded; a '%' is never touched.
    std::string_view target() const noexcept { return view(target_); }
    /// For the Host field (RFC 9110 section 7.2): host, IPv6 in brackets without a zone, port unless it is the default.
    std::string_view authority() const noexcept { return view(authority_); }
    /// Absolute-form request target, for proxies (RFC 9112 section 3.2.2).
    std::string absolute_target() const;
    /// The text without userinfo: for logs, messages and Referer.
    std::string text_without_userinfo() const;

    /// Same scheme, host and port (RFC 9110 section 4.3.1), and same socket.
    bool origin_equals(const url& other) const noexcept;

    /// This URL with `encoded` (already percent-encoded, without '?') joined to the query by '&'.
    result<url> with_query_appended(std::string_view encoded) const;

    friend bool operator==(const url& left, const url& right) noexcept { return left.text() == right.text(); }

private:
    friend class url_parser;
    friend result<url> resolve(const url& base, std::string_view reference);

    enum class host_kind : std::uint8_t { name, ipv4, ipv6, socket };

    /// A piece of `store_`.
    struct range {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };
    std::string_view view(range piece) const noexcept { return {store_.data() + piece.offset, piece.size}; }

    std::string store_;  ///< the text, and after it the normalised forms that differ from their place in the text
    std::uint32_t text_size_ = 0;
    range given_authority_;  ///< in the text, with userinfo and port
    range userinfo_;
    range host_;
    range unix_path_;
    range authority_;
    range path_;
    range query_;
    range fragment_;
    range target_;
    std::uint16_t port_ = 0;
    url_scheme scheme_ = url_scheme::http;
    host_kind host_kind_ = host_kind::name;
    bool has_userinfo_ = false;
    bool has_port_ = false;
    bool has_query_ = false;
    bool has_fragment_ = false;
};

/// Resolves a reference (a Location, say) against a base: RFC 3986 section 5.2, strict. A reference without a fragment
/// inherits the base's (RFC 9110 section 10.2.2). White space around the reference is ignored.
result<url> resolve(const url& base, std::string_view reference);

}  // namespace pabal
