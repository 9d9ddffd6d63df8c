#pragma once
/// \file
/// A certificate for trying things out: the demo server's and the tests'. Never for anything else.

#include <span>
#include <string>

#include <pabal/result.hpp>

namespace pabal::transport {

struct throw_away_certificate {
    std::string certificate;  ///< PEM
    std::string key;          ///< PEM, PKCS #8
};

/// A fresh P-256 key and a self-signed certificate for `names` (DNS names and IP literals), valid from an hour ago for 30
/// days. Clients trust it by naming it as their `ca_file`.
result<throw_away_certificate> self_signed_certificate(std::span<const std::string> names);

}  // namespace pabal::transport
