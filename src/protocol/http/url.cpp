#include <algorithm>
#include <array>
#include <span>

#include <pabal/fields.hpp>
#include <pabal/url.hpp>

#include "protocol/http/host.hpp"
#include "protocol/http/idna.hpp"
#include "protocol/http/percent_encoding.hpp"

namespace pabal {

namespace {

/// What a byte can mean to the scan; one table look-up each.
enum : std::uint8_t {
    control = 1,           ///< never allowed
    space = 2,             ///< not in the authority
    backslash = 4,         ///< not in the authority: some software reads it as a slash
    unsafe = 8,            ///< needs percent-encoding in a request target
    ends_authority = 16,   ///< / ? #
    ends_path = 32,        ///< ? #
    special_in_host = 64,  ///< @ : [ %
};

constexpr std::array<std::uint8_t, 256> make_byte_table() {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c) table[c] = control;
    table[0x7F] = control;
    for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = unsafe;
    for (const char c : std::string_view{"\"<>^`{|}"}) table[static_cast<unsigned char>(c)] = unsafe;
    table[' '] = space | unsafe;
    table['\\'] = backslash | unsafe;
    table['/'] = ends_authority;
    table['?'] = table['#'] = ends_authority | ends_path;
    table['@'] = table[':'] = table['['] = table['%'] = special_in_host;
    return table;
}
constexpr std::array<std::uint8_t, 256> byte_table = make_byte_table();

unsigned class_of(char byte) noexcept { return byte_table[static_cast<unsigned char>(byte)]; }

constexpr std::array<std::string_view, 5> scheme_names{"http", "https", "ws", "wss", "http+unix"};

constexpr std::uint16_t default_port(url_scheme scheme) noexcept {
    return scheme == url_scheme::https || scheme == url_scheme::wss ? 443 : 80;
}

/// sockaddr_un::sun_path of Linux, less the final NUL.
constexpr std::size_t max_unix_path_size = 107;

error invalid(std::string_view fault, std::size_t at) {
    return {error_code::invalid_url, phase::prepare, culprit::caller, 0,
            "invalid URL: " + std::string{fault} + " (at byte " + std::to_string(at) + ")"};
}

/// A host as a message may show it.
std::string quoted(std::string_view host) {
    constexpr std::size_t shown = 80;
    std::string out = " \"";
    for (const char byte : host.substr(0, shown)) out += byte > 0x20 && byte < 0x7F ? byte : '?';
    out += host.size() > shown ? "...\"" : "\"";
    return out;
}

void append_target_piece(std::string& out, std::string_view piece) {
    for (const char byte : piece) {
        if ((class_of(byte) & unsafe) != 0) {
            http::append_percent_encoded(out, {&byte, 1});
        } else {
            out += byte;
        }
    }
}

}  // namespace

/// Splits one text. Reads `text_`, which becomes the beginning of the URL's store; normalised forms follow it.
class url_parser {
public:
    explicit url_parser(std::string_view text) noexcept : text_(text) {}

    result<url> parse() {
        if (text_.empty()) return invalid("it is empty", 0);
        if (text_.size() > max_url_size) return invalid("it is longer than 1 MiB", max_url_size);
        if ((class_of(text_.front()) & space) != 0) return invalid("it begins with white space", 0);
        if ((class_of(text_.back()) & space) != 0) return invalid("it ends with white space", text_.size() - 1);
        made_.store_ = std::string{text_};
        made_.text_size_ = static_cast<std::uint32_t>(text_.size());
        if (auto failed = split_scheme()) return std::move(*failed);
        if (auto failed = split_authority()) return std::move(*failed);
        if (auto failed = split_rest()) return std::move(*failed);
        return std::move(made_);
    }

private:
    using failure = std::optional<error>;
    using range = url::range;

    static range range_of(std::size_t offset, std::size_t size) noexcept {
        return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size)};
    }

    /// Adds text behind the URL's own and says where.
    range store(std::string_view piece) {
        const std::size_t offset = made_.store_.size();
        made_.store_ += piece;
        return range_of(offset, piece.size());
    }

    failure split_scheme() {
        // Nearly every URL begins with one of two texts.
        if (text_.starts_with("https://")) return take_scheme(url_scheme::https, 5);
        if (text_.starts_with("http://")) return take_scheme(url_scheme::http, 4);
        const std::size_t colon = text_.find(':');
        const std::string_view name = text_.substr(0, std::min(colon, text_.size()));
        if (name.find_first_of("/?#") != std::string_view::npos || colon == std::string_view::npos)
            return invalid("it has no scheme such as https://", 0);
        const auto known = std::find_if(scheme_names.begin(), scheme_names.end(), [&](std::string_view candidate) {
            return equals_ignoring_case(candidate, name);
        });
        if (known == scheme_names.end()) return unknown_scheme(name);
        return take_scheme(static_cast<url_scheme>(known - scheme_names.begin()), colon);
    }

    failure take_scheme(url_scheme scheme, std::size_t colon) {
        made_.scheme_ = scheme;
        made_.port_ = default_port(scheme);
        if (text_.substr(colon + 1, 2) != "//") return invalid("the scheme is not followed by //", colon + 1);
        at_ = colon + 3;
        return std::nullopt;
    }

    static failure unknown_scheme(std::string_view name) {
        const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
        const auto is_scheme_byte = [&](char c) {
            return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        };
        if (name.empty() || !is_letter(name.front()) || !std::all_of(name.begin(), name.end(), is_scheme_byte))
            return invalid("it has no valid scheme", 0);
        return error{error_code::unsupported, phase::prepare, culprit::caller, 0,
                     "unsupported URL scheme" + quoted(name)};
    }

    failure split_authority() {
        const std::size_t start = at_;
        unsigned seen = 0;
        for (; at_ < text_.size(); ++at_) {
            const unsigned kind = class_of(text_[at_]);
            if ((kind & ends_authority) != 0) break;
            seen |= kind;
        }
        if ((seen & (control | space | backslash)) != 0) return forbidden_in_authority(start);
        made_.given_authority_ = range_of(start, at_ - start);
        if (start == at_) return invalid("the host is empty", start);
        std::size_t host_start = start;
        std::size_t host_end = at_;
        if ((seen & special_in_host) != 0) {
            if (auto failed = split_userinfo_and_port(host_start, host_end)) return failed;
        }
        if (made_.scheme_ == url_scheme::http_unix) return take_socket(host_start, host_end);
        if (text_[host_start] == '[') return take_ipv6(host_start, host_end);
        return take_host(host_start, host_end);
    }

    failure forbidden_in_authority(std::size_t start) const {
        std::size_t at = start;
        while ((class_of(text_[at]) & (control | space | backslash)) == 0) ++at;
        switch (class_of(text_[at]) & (control | space | backslash)) {
        case control: return invalid("it contains a control character", at);
        case space: return invalid("the host contains white space", at);
        default: return invalid("there is a backslash before the path", at);
        }
    }

    /// Narrows [begin, end) to the host. The last '@' ends userinfo, as everywhere; a port is what follows the last ':'
    /// outside brackets.
    failure split_userinfo_and_port(std::size_t& begin, std::size_t& end) {
        const std::string_view authority = text_.substr(begin, end - begin);
        if (const auto at_sign = authority.rfind('@'); at_sign != std::string_view::npos) {
            made_.userinfo_ = range_of(begin, at_sign);
            made_.has_userinfo_ = true;
            begin += at_sign + 1;
        }
        const std::string_view rest = text_.substr(begin, end - begin);
        if (rest.empty()) return invalid("the host is empty", begin);
        std::size_t colon = rest.rfind(':');
        if (rest.front() == '[') {
            const auto bracket = rest.find(']');
            if (bracket == std::string_view::npos) return invalid("an IPv6 address lacks its closing bracket", begin);
            colon = bracket + 1 == rest.size() ? std::string_view::npos : bracket + 1;
            if (colon != std::string_view::npos && rest[colon] != ':')
                return invalid("something other than a port follows an IPv6 address", begin + colon);
        }
        if (colon == std::string_view::npos) return std::nullopt;
        end = begin + colon;
        return take_port(end + 1, at_);
    }

    /// An empty port is the default one (RFC 3986 section 3.2.3).
    failure take_port(std::size_t begin, std::size_t end) {
        if (begin == end) return std::nullopt;
        unsigned port = 0;
        for (std::size_t at = begin; at < end; ++at) {
            if (text_[at] < '0' || text_[at] > '9') return invalid("the port is not a number", at);
            port = port * 10 + static_cast<unsigned>(text_[at] - '0');
            if (port > 65535) return invalid("the port is greater than 65535", begin);
        }
        if (port == 0) return invalid("the port is 0", begin);
        made_.port_ = static_cast<std::uint16_t>(port);
        made_.has_port_ = true;
        port_is_canonical_ = text_[begin] != '0';
        return std::nullopt;
    }

    bool port_is_shown() const noexcept { return made_.has_port_ && made_.port_ != default_port(made_.scheme_); }

    failure take_host(std::size_t begin, std::size_t end) {
        const std::string_view host = text_.substr(begin, end - begin);
        const auto verdict = http::classify_host(host);
        switch (verdict.form) {
        case http::host_form::invalid: return invalid(verdict.fault + quoted(host), begin);
        case http::host_form::not_ascii: return take_international(host, begin);
        case http::host_form::name_mixed_case: take_lowered(host); return std::nullopt;
        case http::host_form::ipv4: made_.host_kind_ = url::host_kind::ipv4; break;
        case http::host_form::name: break;
        }
        made_.host_ = range_of(begin, host.size());
        made_.authority_ = made_.host_;
        if (port_is_shown()) {
            if (port_is_canonical_) {
                made_.authority_.size = static_cast<std::uint32_t>(at_ - begin);
            } else {
                store_authority(host);
            }
        }
        return std::nullopt;
    }

    failure take_international(std::string_view host, std::size_t begin) {
        const auto ascii = http::host_to_ascii(host);
        if (!ascii) return invalid("the host is not a valid internationalised name", begin);
        const auto verdict = http::classify_host(*ascii);
        if (verdict.form == http::host_form::invalid) return invalid(verdict.fault + quoted(*ascii), begin);
        if (verdict.form == http::host_form::ipv4) made_.host_kind_ = url::host_kind::ipv4;
        take_lowered(*ascii);
        return std::nullopt;
    }

    void take_lowered(std::string_view host) {
        store_authority(host);
        made_.host_ = made_.authority_;
        made_.host_.size = static_cast<std::uint32_t>(host.size());
        for (char& c : std::span{made_.store_}.subspan(made_.host_.offset, host.size())) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
        }
    }

    /// Stores "host:port", or "host" when the port is the default.
    void store_authority(std::string_view host) {
        made_.authority_ = store(host);
        if (port_is_shown()) made_.store_ += ':' + std::to_string(made_.port_);
        made_.authority_.size = static_cast<std::uint32_t>(made_.store_.size() - made_.authority_.offset);
    }

    failure take_ipv6(std::size_t begin, std::size_t end) {
        const auto address = http::normalise_ipv6(text_.substr(begin + 1, end - begin - 2));
        if (!address) return invalid("the IPv6 address is not valid", begin);
        made_.host_kind_ = url::host_kind::ipv6;
        made_.host_ = store(*address);
        // A zone means something on this machine only; it is not sent (RFC 6874 section 4).
        store_authority('[' + address->substr(0, address->find('%')) + ']');
        return std::nullopt;
    }

    failure take_socket(std::size_t begin, std::size_t end) {
        if (made_.has_port_ || end != at_) return invalid("a Unix socket has no port", end);
        const std::string path = http::percent_decode(text_.substr(begin, end - begin));
        if (path.find('\0') != std::string::npos) return invalid("the path of the Unix socket contains NUL", begin);
        if (path.size() > max_unix_path_size)
            return invalid("the path of the Unix socket is longer than 107 bytes", begin);
        made_.host_kind_ = url::host_kind::socket;
        made_.unix_path_ = store(path);
        made_.host_ = made_.authority_ = store("localhost");
        return std::nullopt;
    }

    failure split_rest() {
        unsigned seen = 0;
        const std::size_t path_start = at_;
        for (; at_ < text_.size(); ++at_) {
            const unsigned kind = class_of(text_[at_]);
            if ((kind & ends_path) != 0) break;
            seen |= kind;
        }
        made_.path_ = range_of(path_start, at_ - path_start);
        if (at_ < text_.size() && text_[at_] == '?') {
            const std::size_t query_start = ++at_;
            for (; at_ < text_.size() && text_[at_] != '#'; ++at_) seen |= class_of(text_[at_]);
            made_.query_ = range_of(query_start, at_ - query_start);
            made_.has_query_ = true;
        }
        const std::size_t target_end = at_;
        unsigned seen_in_fragment = 0;
        if (at_ < text_.size()) {
            const std::size_t fragment_start = ++at_;
            for (; at_ < text_.size(); ++at_) seen_in_fragment |= class_of(text_[at_]);
            made_.fragment_ = range_of(fragment_start, at_ - fragment_start);
            made_.has_fragment_ = true;
        }
        if (((seen | seen_in_fragment) & control) != 0) {
            std::size_t at = path_start;
            while ((class_of(text_[at]) & control) == 0) ++at;
            return invalid("it contains a control character", at);
        }
        make_target(path_start, target_end, (seen & unsafe) != 0);
        return std::nullopt;
    }

    void make_target(std::size_t begin, std::size_t end, bool needs_encoding) {
        if (begin == end) {
            // "/": there is one at the end of "scheme://".
            made_.target_ = range_of(made_.given_authority_.offset - 1, 1);
        } else if (text_[begin] == '/' && !needs_encoding) {
            made_.target_ = range_of(begin, end - begin);
        } else {
            const std::size_t offset = made_.store_.size();
            if (text_[begin] != '/') made_.store_ += '/';
            append_target_piece(made_.store_, text_.substr(begin, end - begin));
            made_.target_ = range_of(offset, made_.store_.size() - offset);
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool port_is_canonical_ = true;
    url made_;
};

result<url> url::parse(std::string_view text) { return url_parser{text}.parse(); }

std::string_view url::scheme() const noexcept { return scheme_names[static_cast<std::size_t>(scheme_)]; }

std::string url::username() const { return http::percent_decode(userinfo().substr(0, userinfo().find(':'))); }

std::optional<std::string> url::password() const {
    const auto colon = userinfo().find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return http::percent_decode(userinfo().substr(colon + 1));
}

std::string url::absolute_target() const {
    std::string out{scheme()};
    return out.append("://").append(authority()).append(target());
}

std::string url::text_without_userinfo() const {
    std::string out{text()};
    if (has_userinfo_) out.erase(userinfo_.offset, userinfo_.size + 1);
    return out;
}

bool url::origin_equals(const url& other) const noexcept {
    return scheme_ == other.scheme_ && port_ == other.port_ && host() == other.host() &&
           unix_path() == other.unix_path();
}

}  // namespace pabal
