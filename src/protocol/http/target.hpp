#pragma once
/// \file
/// The two places where a request says whom it is for: the request target (RFC 9112 section 3.2) and Host (RFC 9110
/// section 7.2). The same rules judge what a peer sent and what a caller asks to send.

#include <string_view>

namespace pabal::http {

/// uri-host [":" port], RFC 3986 section 3.2.2: a name or IPv4 address, or an IP literal in brackets; no user information.
/// Empty is valid only where `may_be_empty` (a Host field for a target without authority).
bool is_authority(std::string_view text, bool may_be_empty) noexcept;

/// Why `target` cannot be the target of `method`; empty when it can. origin-form for all; absolute-form for all but
/// CONNECT, which must have authority-form with a port; asterisk-form for OPTIONS only.
std::string_view target_defect(std::string_view method, std::string_view target) noexcept;

}  // namespace pabal::http
