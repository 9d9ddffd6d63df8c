// URLs. The first line is a URL, the rest a reference to resolve against it.
//
// Invariants:
//   - no text crashes; errors carry printable messages;
//   - the text of a parsed URL is what was given, and parsing it again gives the same components;
//   - target, authority and host hold no control, space or non-ASCII byte (a host of a socket is "localhost"); the target
//     begins with '/';
//   - what resolve and with_query_appended return is a URL by the same rules, and a relative path reference never leaves
//     the origin.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <pabal/url.hpp>

namespace {

using pabal::url;

void require(bool holds) {
    if (!holds) std::abort();
}

bool is_visible_ascii(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
    }
    return true;
}

void check_error(const pabal::error& failure) {
    for (const char c : failure.message)
        require(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F);
    require(failure.whose == pabal::culprit::caller);
}

void check(const url& made) {
    require(is_visible_ascii(made.target()) && made.target().starts_with('/'));
    require(is_visible_ascii(made.authority()) && !made.authority().empty());
    require(is_visible_ascii(made.host()) && !made.host().empty());
    require(made.port() != 0);
    require(made.unix_path().find('\0') == std::string_view::npos);

    const auto again = url::parse(made.text());
    require(again && again->text() == made.text() && again->target() == made.target());
    require(again->authority() == made.authority() && again->origin_equals(made));

    // What goes on the wire is itself a URL of the same origin and target.
    if (made.unix_path().empty()) {
        const auto sent = url::parse(made.absolute_target());
        require(sent && sent->target() == made.target() && sent->port() == made.port());
        require(sent->authority() == made.authority());
    }
    require(!url::parse(made.text_without_userinfo())->has_userinfo());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const std::string_view text = input.substr(0, input.find('\n'));
    const std::string_view rest = text.size() < input.size() ? input.substr(text.size() + 1) : std::string_view{};

    const auto made = url::parse(text);
    if (!made) {
        check_error(made.error());
        return 0;
    }
    require(made->text() == text);
    check(*made);

    if (const auto resolved = resolve(*made, rest)) {
        check(*resolved);
        if (rest.starts_with('/') && !rest.starts_with("//")) require(resolved->origin_equals(*made));
    } else {
        check_error(resolved.error());
    }
    if (const auto appended = made->with_query_appended(rest)) {
        check(*appended);
        require(appended->origin_equals(*made) && appended->path() == made->path());
        require(appended->fragment() == made->fragment());
    } else {
        check_error(appended.error());
    }
    return 0;
}
