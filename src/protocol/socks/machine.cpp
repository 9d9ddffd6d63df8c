#include "protocol/socks/machine.hpp"

#include <utility>

namespace pabal::socks {

namespace {

// RFC 1928 sections 3 to 6.
constexpr char version5 = 5;
constexpr char no_authentication = 0;
constexpr char user_and_password = 2;
constexpr auto no_acceptable_method = static_cast<char>(0xFF);
constexpr char connect_command = 1;
constexpr char reserved = 0;
enum class address_type : std::uint8_t { ipv4 = 1, name = 3, ipv6 = 4 };
// RFC 1929 section 2.
constexpr char authentication_version = 1;
// SOCKS 4 has no RFC: "SOCKS: A protocol for TCP proxy across firewalls", and "SOCKS 4A: A Simple Extension".
constexpr char version4 = 4;
constexpr std::size_t reply4_size = 8;
constexpr std::uint8_t granted = 90;

void put_port(std::uint16_t port, std::string& out) {
    out += static_cast<char>(port >> 8);
    out += static_cast<char>(port & 0xFF);
}

void put_sized(std::string_view text, std::string& out) {
    out += static_cast<char>(text.size());
    out += text;
}

std::uint8_t byte_at(std::string_view input, std::size_t index) noexcept {
    return static_cast<std::uint8_t>(input[index]);
}

std::string_view meaning_of_reply5(std::uint8_t reply) noexcept {
    switch (reply) {
    case 1: return "general failure";
    case 2: return "not allowed by its rules";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "TTL expired";
    case 7: return "command not supported";
    case 8: return "address type not supported";
    default: return "unassigned reply";
    }
}

error callers_error(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

}  // namespace

result<machine> machine::make(version spoken, destination to, std::optional<credentials> who, std::string proxy_name) {
    if (to.name.size() > longest_name)
        return callers_error("a host name of " + std::to_string(to.name.size()) +
                             " bytes cannot be told to a SOCKS proxy: 255 is the most");
    if (to.name.find('\0') != std::string::npos) return callers_error("a host name contains a NUL");
    if (spoken == version::v4 && !to.address.empty() && to.address.size() != 4)
        return callers_error("SOCKS 4 knows IPv4 only and cannot reach " + to.text + "; use socks5 or socks5h");
    if (who && spoken == version::v4 && (who->user.find('\0') != std::string::npos || !who->password.empty()))
        return callers_error("SOCKS 4 cannot carry this user name or password");
    if (who && (who->user.size() > longest_name || who->password.size() > longest_name))
        return callers_error("a user name and a password for SOCKS have 255 bytes at most");
    return machine(spoken, std::move(to), std::move(who), std::move(proxy_name));
}

void machine::start(std::string& out) {
    if (version_ == version::v4) return request(out);
    const std::string_view methods = who_ ? std::string_view("\0\2", 2) : std::string_view("\0", 1);
    out += version5;
    put_sized(methods, out);
    state_ = state::method;
}

void machine::supply(std::string address, std::string& out) {
    to_.address = std::move(address);
    if (state_ == state::destination) request(out);
}

void machine::request(std::string& out) {
    if (to_.name.empty() && to_.address.empty()) {
        state_ = state::destination;
    } else if (version_ == version::v4) {
        request4(out);
        state_ = state::reply4;
    } else {
        request5(out);
        state_ = state::reply5;
    }
}

/// 4a: an address of 0.0.0.x, which cannot be, says that a name follows.
void machine::request4(std::string& out) const {
    out += version4;
    out += connect_command;
    put_port(to_.port, out);
    out += to_.name.empty() ? std::string_view(to_.address) : std::string_view("\0\0\0\1", 4);
    if (who_) out += who_->user;
    out += '\0';
    if (to_.name.empty()) return;
    out += to_.name;
    out += '\0';
}

void machine::request5(std::string& out) const {
    out += version5;
    out += connect_command;
    out += reserved;
    if (!to_.name.empty()) {
        out += static_cast<char>(address_type::name);
        put_sized(to_.name, out);
    } else {
        out += static_cast<char>(to_.address.size() == 4 ? address_type::ipv4 : address_type::ipv6);
        out += to_.address;
    }
    put_port(to_.port, out);
}

void machine::authenticate(std::string& out) const {
    out += authentication_version;
    put_sized(who_->user, out);
    put_sized(who_->password, out);
}

result<std::size_t> machine::receive(std::string_view input, std::string& out) {
    std::size_t used = 0;
    while (!is_established()) {
        auto step = receive_step(input.substr(used), out);
        if (!step) return step;
        if (*step == 0) break;
        used += *step;
    }
    return used;
}

/// One reply; 0 when it is not all there.
result<std::size_t> machine::receive_step(std::string_view input, std::string& out) {
    switch (state_) {
    case state::method: return receive_method(input, out);
    case state::authentication: return receive_authentication(input, out);
    case state::reply4: return receive_reply4(input);
    case state::reply5: return receive_reply5(input);
    case state::destination:
        if (!input.empty()) return malformed("it spoke before it was asked");
        break;
    case state::established: break;
    }
    return std::size_t{0};
}

result<std::size_t> machine::receive_method(std::string_view input, std::string& out) {
    if (!input.empty() && input[0] != version5) return malformed("its first byte is not SOCKS 5's");
    if (input.size() < 2) return std::size_t{0};
    if (input[1] == no_acceptable_method)
        return refused(error_code::proxy_auth_required, byte_at(input, 1),
                       who_ ? "it accepts neither user name and password nor none" : "it wants authentication");
    if (input[1] == no_authentication) {
        request(out);
    } else if (input[1] == user_and_password && who_) {
        authenticate(out);
        state_ = state::authentication;
    } else {
        return malformed("it chose a method of authentication that was not offered");
    }
    return std::size_t{2};
}

/// The version is not looked at: some proxies repeat SOCKS's own here, and nothing hangs on it.
result<std::size_t> machine::receive_authentication(std::string_view input, std::string& out) {
    if (input.size() < 2) return std::size_t{0};
    if (input[1] != 0)
        return refused(error_code::proxy_auth_required, byte_at(input, 1), "user name or password not accepted");
    request(out);
    return std::size_t{2};
}

result<std::size_t> machine::receive_reply4(std::string_view input) {
    if (!input.empty() && input[0] != 0) return malformed("its first byte is not SOCKS 4's");
    if (input.size() < 2) return std::size_t{0};
    // A refusal counts as soon as it is said: not every proxy sends the rest.
    switch (const std::uint8_t reply = byte_at(input, 1); reply) {
    case granted: break;
    case 91: return refused(error_code::proxy_refused, reply, "rejected or failed");
    case 92: return refused(error_code::proxy_auth_required, reply, "it cannot reach the client's identd");
    case 93: return refused(error_code::proxy_auth_required, reply, "identd names another user");
    default: return malformed("unknown reply " + std::to_string(reply));
    }
    if (input.size() < reply4_size) return std::size_t{0};
    state_ = state::established;
    return reply4_size;
}

result<std::size_t> machine::receive_reply5(std::string_view input) {
    if (!input.empty() && input[0] != version5) return malformed("its reply does not begin as SOCKS 5's do");
    if (input.size() < 2) return std::size_t{0};
    if (const std::uint8_t reply = byte_at(input, 1); reply != 0)
        return refused(error_code::proxy_refused, reply, meaning_of_reply5(reply));
    constexpr std::size_t before_address = 4;
    if (input.size() < before_address + 1) return std::size_t{0};
    std::size_t address_size = 0;
    switch (static_cast<address_type>(input[3])) {
    case address_type::ipv4: address_size = 4; break;
    case address_type::ipv6: address_size = 16; break;
    case address_type::name: address_size = std::size_t{1} + byte_at(input, 4); break;
    default: return malformed("unknown address type in its reply");
    }
    const std::size_t whole = before_address + address_size + 2;
    if (input.size() < whole) return std::size_t{0};
    state_ = state::established;
    return whole;
}

error machine::malformed(std::string_view what) const {
    return {error_code::proxy_failed, phase::proxy, culprit::proxy, 0,
            "the proxy " + proxy_name_ + " does not answer in SOCKS: " + std::string(what)};
}

error machine::refused(error_code code, std::uint8_t reply, std::string_view why) const {
    error made{code, phase::proxy, culprit::proxy, 0,
               "the proxy " + proxy_name_ + " refused a tunnel to " + to_.text + ": " + std::string(why)};
    made.status = reply;
    return made;
}

}  // namespace pabal::socks
