#include "protocol/http/public_suffix.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace pabal::http {

namespace {

#include "protocol/http/public_suffix_table.inc"

// As in tools/public_suffix_table.py. An entry is where its name begins, shifted by `kind_bits`, and what it is.
constexpr unsigned kind_bits = 3;
enum kind : unsigned {
    none = 0,
    suffix = 1,              // "co.uk"
    parent_of_suffixes = 2,  // "*.ck"
    exception = 4,           // "!www.ck"
};
constexpr std::size_t count = std::size(entries) - 1;  // the last only says where the names end
static_assert((entries[count] >> kind_bits) == sizeof(names) - 1);

std::string_view name_of(std::size_t index) noexcept {
    const std::size_t begin = entries[index] >> kind_bits;
    return {names + begin, (entries[index + 1] >> kind_bits) - begin};
}

unsigned kind_of(std::string_view name) noexcept {
    std::size_t low = 0;
    for (std::size_t high = count; low < high;) {
        const std::size_t middle = (low + high) / 2;
        if (name_of(middle) < name) low = middle + 1;
        else high = middle;
    }
    return low < count && name_of(low) == name ? entries[low] & ((1U << kind_bits) - 1) : none;
}

/// Where the label before `begin` begins ("www." counts as the label "www"); `begin` must not be 0.
std::size_t label_before(std::string_view host, std::size_t begin) noexcept {
    const auto dot = begin < 2 ? std::string_view::npos : host.rfind('.', begin - 2);
    return dot == std::string_view::npos ? 0 : dot + 1;
}

}  // namespace

std::string_view public_suffix(std::string_view host) noexcept {
    const std::string_view name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    // From the last label up: the longest rule wins, but an exception always does (and takes a label off).
    std::size_t begin = label_before(name, name.size() + 1);
    std::size_t best = begin;
    for (std::size_t labels = 1; labels <= longest_rule; ++labels) {
        const unsigned kind = kind_of(name.substr(begin));
        if ((kind & exception) != 0) return host.substr(begin + name.substr(begin).find('.') + 1);
        if ((kind & suffix) != 0) best = std::min(best, begin);
        if (begin == 0) break;
        const std::size_t next = label_before(name, begin);
        if ((kind & parent_of_suffixes) != 0) best = next;
        begin = next;
    }
    return host.substr(best);
}

std::string_view registrable_domain(std::string_view host) noexcept {
    const std::size_t begin = host.size() - public_suffix(host).size();
    return begin == 0 ? std::string_view{} : host.substr(label_before(host, begin));
}

bool is_same_site(std::string_view left, std::string_view right) noexcept {
    if (left == right) return true;
    const std::string_view domain = registrable_domain(left);
    return !domain.empty() && domain == registrable_domain(right);
}

}  // namespace pabal::http
