#pragma once
/// \file
/// The client's side of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929) without input or output: bytes in, bytes out.
///
///   SOCKS 5:  start ──▶ greeting ──▶ (user and password ──▶) (destination ──▶) request ──▶ established
///   SOCKS 4:  start ────────────────────────────────────────▶ (destination ──▶) request ──▶ established
///                          │ refused, or no SOCKS
///                          ▼
///                        an error (phase::proxy, culprit::proxy): close the connection
///
///     auto made = socks::machine::make(socks::version::v5, {"example.com", 443}, credentials, "socks5h://proxy:1080");
///     made->start(out);                                  // send out
///     while (!made->is_established()) {
///         auto used = made->receive(input, out);         // an error ends it
///         input.remove_prefix(*used);                    // send out; read more behind what is left
///     }
///
/// The destination may be told later, by `supply`: whoever resolves names himself can do so while the proxy is greeted.
///
/// No reply is longer than 262 bytes, so nothing here grows. Refusals carry the reply's code (`error::status`); those that
/// are about who we are have the code `proxy_auth_required`.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

namespace pabal::socks {

enum class version : std::uint8_t { v4, v5 };

/// Where the proxy is asked to connect to: a name for it to resolve, or an address.
struct destination {
    std::string name;     ///< empty: `address` counts
    std::string address;  ///< 4 or 16 bytes in network order; empty, too: not known yet
    std::uint16_t port = 0;
    std::string text;  ///< for messages: "example.com:443"
};

struct credentials {
    std::string user;
    std::string password;
};

class machine {
public:
    /// The longest name SOCKS 5 can carry; SOCKS 4a is held to it too.
    static constexpr std::size_t longest_name = 255;

    /// Fails, before anything could be sent, with invalid_argument (the caller's fault) for a name that is longer or that
    /// would end early (NUL), for user or password that do not fit, and for IPv6 by SOCKS 4.
    static result<machine> make(version spoken, destination to, std::optional<credentials> who, std::string proxy_name);

    /// Appends what is sent first.
    void start(std::string& out);
    /// The address of a destination that was not known: appends what is sent next, if the proxy waits for it. SOCKS 4 takes
    /// 4 bytes only.
    void supply(std::string address, std::string& out);
    /// What the proxy sent and was not used up before; returns how much of it is used up now, and appends what is sent next.
    result<std::size_t> receive(std::string_view input, std::string& out);
    /// The proxy has let us in and waits to hear where to: `supply` is what goes on.
    bool awaits_address() const noexcept { return state_ == state::destination; }
    bool is_established() const noexcept { return state_ == state::established; }

private:
    enum class state : std::uint8_t { method, authentication, destination, reply4, reply5, established };

    machine(version spoken, destination to, std::optional<credentials> who, std::string proxy_name)
        : version_(spoken), to_(std::move(to)), who_(std::move(who)), proxy_name_(std::move(proxy_name)) {}

    result<std::size_t> receive_step(std::string_view input, std::string& out);
    result<std::size_t> receive_method(std::string_view input, std::string& out);
    result<std::size_t> receive_authentication(std::string_view input, std::string& out);
    result<std::size_t> receive_reply4(std::string_view input);
    result<std::size_t> receive_reply5(std::string_view input);
    void request(std::string& out);
    void request4(std::string& out) const;
    void request5(std::string& out) const;
    void authenticate(std::string& out) const;
    error malformed(std::string_view what) const;
    error refused(error_code code, std::uint8_t reply, std::string_view why) const;

    version version_;
    state state_ = state::method;
    destination to_;
    std::optional<credentials> who_;
    std::string proxy_name_;
};

}  // namespace pabal::socks
