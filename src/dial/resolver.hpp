#pragma once
/// \file
/// From a host's name to its addresses, and to what the DNS says of how it is served: the interface.
///
/// IPv6 and IPv4 are asked for at the same time and answered separately, so that connecting can begin with the family that
/// answers first (RFC 8305 section 3).
///
/// Threads: belongs to its reactor. Errors: `host_not_found`, `resolver_failed`; both name the host (phase::resolve).

#include <memory>
#include <string>
#include <string_view>

#include "dial/address.hpp"
#include "dial/address_cache.hpp"
#include "dial/service_binding.hpp"

namespace pabal::dial {

class resolve_observer {
public:
    /// Called exactly once for each family, perhaps before `resolve` has returned. The lookup may be destroyed in it.
    virtual void on_answer(address_family family, const family_answer& answer) = 0;

protected:
    ~resolve_observer() = default;
};

/// Somebody waiting for answers. Destroying it ends the waiting; nobody is told.
class lookup {
public:
    virtual ~lookup() = default;
};

class service_observer {
public:
    /// Called exactly once, perhaps before `find_services` has returned: the best first. Empty: there are none, or nobody could say.
    /// The lookup may be destroyed in it.
    virtual void on_services(const std::vector<service_binding>& found) = 0;

protected:
    ~service_observer() = default;
};

class resolver {
public:
    virtual ~resolver() = default;
    /// `host` is a name in A-label form or an IP literal without brackets. Null when both families were answered at once.
    virtual std::unique_ptr<lookup> resolve(std::string_view host, resolve_observer& observer) = 0;
    /// The HTTPS records of an origin, with aliases followed (RFC 9460). Null when that was answered at once, as it is by a
    /// resolver that does not look for them.
    virtual std::unique_ptr<lookup> find_services(std::string_view host, std::uint16_t port,
                                                  service_observer& observer);
};

/// In lower case and without a final dot: two spellings of one name are the same.
std::string canonical_name(std::string_view host);

/// What needs no resolver: IP literals, "localhost" and names below it (RFC 6761 section 6.3), and names that cannot be
/// (RFC 1035 section 2.3.4; those whose last label is a number, which some would read as an IPv4 address).
struct known_answers {
    family_answer ipv6;
    family_answer ipv4;
};
std::optional<known_answers> answer_without_asking(std::string_view host);

}  // namespace pabal::dial
