#pragma once
/// \file
/// The exceptions to a proxy, as NO_PROXY lists them. No standard says what it means; this is what most programs agree on,
/// made exact where they differ.

#include <cstdint>
#include <string_view>

namespace pabal::http {

/// Whether `list` exempts host and port. Entries are separated by commas or white space and compared without regard to case:
///
///   - `*`: everything.
///   - `example.com`, `.example.com`, `*.example.com`: that name and all below it. `ple.com` does not match `example.com`.
///   - `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`: that address. An address is never compared as a name, nor a name resolved.
///   - `10.0.0.0/8`, `fd00::/8`: the addresses of that block. IPv4 addresses mapped into IPv6 are seen as IPv4.
///   - `…:8080` after a name, an IPv4 address or brackets: only that port.
///
/// Entries that are none of these match nothing: in doubt a request takes the proxy.
/// `host` is as `url::host` gives it.
bool is_exempt_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept;

}  // namespace pabal::http
