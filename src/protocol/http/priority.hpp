#pragma once
/// \file
/// The Priority field (RFC 9218 section 5). Only its writing is here: what peers say is read by nghttp2 and nghttp3, in the field
/// and in PRIORITY_UPDATE, and decides there which response leaves next.

#include <string>

#include <pabal/priority.hpp>

namespace pabal::http {

/// "u=1, i"; what is usual is left out, but never everything.
std::string priority_field(const priority& asked);

}  // namespace pabal::http
