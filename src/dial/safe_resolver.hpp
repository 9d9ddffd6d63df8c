#pragma once
/// \file
/// How the dial layer tells that a safe_resolver said no.

#include <string_view>

#include <pabal/error.hpp>

namespace pabal::dial {

/// `what` was not done because of `rule`; `what` is empty where the message becomes part of one that says it.
error address_refused(std::string_view what, std::string_view rule);

}  // namespace pabal::dial
