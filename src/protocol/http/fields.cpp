#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <pabal/fields.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pabal {

namespace {

constexpr std::size_t max_name_size = std::numeric_limits<std::uint16_t>::max();
constexpr std::size_t max_block_size = std::numeric_limits<std::uint32_t>::max();

/// Room for the head of an ordinary request, so that building one line by line costs two allocations.
constexpr std::size_t first_block_size = 256;
constexpr std::size_t first_record_count = 8;

std::uint64_t load_8(const char* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

std::uint32_t load_4(const char* at) noexcept {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Lower-cases the ASCII letters among eight bytes at once; bytes of 0x80 and above stay as they are.
std::uint64_t lower_8(std::uint64_t word) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    const std::uint64_t low_bits = word & (0x7F * ones);
    const std::uint64_t at_least_a = low_bits + ((0x80 - 'A') * ones);
    const std::uint64_t above_z = low_bits + ((0x7F - 'Z') * ones);
    const std::uint64_t upper = ~word & (at_least_a ^ above_z) & (0x80 * ones);
    return word | (upper >> 2);
}

constexpr char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}

/// A known field name as a template argument, so that its words and masks are constants of the comparison.
template <std::size_t size_with_nul>
struct known_name {
    consteval known_name(const char (&text)[size_with_nul]) noexcept {
        std::copy_n(text, size_with_nul, letters);
    }  // NOLINT: implicit by design
    static constexpr std::size_t size = size_with_nul - 1;
    char letters[size_with_nul]{};

    /// `count` bytes from `offset` on as the machine would load them.
    template <class Word>
    constexpr Word word(std::size_t offset) const noexcept {
        std::array<char, sizeof(Word)> bytes{};
        std::copy_n(letters + offset, sizeof(Word), bytes.begin());
        return std::bit_cast<Word>(bytes);
    }
    /// 0x20 where the name has a letter: case is ignored there, and there only ('\r' | 0x20 is '-').
    template <class Word>
    constexpr Word case_bits(std::size_t offset) const noexcept {
        std::array<char, sizeof(Word)> bytes{};
        for (std::size_t at = 0; at < sizeof(Word); ++at) bytes[at] = letters[offset + at] == '-' ? '\0' : '\x20';
        return std::bit_cast<Word>(bytes);
    }
};

/// True if `name`, of the known name's size, spells it in any case. Words may overlap at the end.
template <known_name known>
bool spells(const char* name) noexcept {
    constexpr std::size_t size = known.size;
    if constexpr (size >= 8) {
        constexpr std::size_t last = size - 8;
        std::uint64_t difference =
            (load_8(name) | known.template case_bits<std::uint64_t>(0)) ^ known.template word<std::uint64_t>(0);
        if constexpr (size > 16)
            difference |=
                (load_8(name + 8) | known.template case_bits<std::uint64_t>(8)) ^ known.template word<std::uint64_t>(8);
        difference |= (load_8(name + last) | known.template case_bits<std::uint64_t>(last)) ^
                      known.template word<std::uint64_t>(last);
        return difference == 0;
    } else if constexpr (size >= 4) {
        constexpr std::size_t last = size - 4;
        const std::uint32_t difference =
            ((load_4(name) | known.template case_bits<std::uint32_t>(0)) ^ known.template word<std::uint32_t>(0)) |
            ((load_4(name + last) | known.template case_bits<std::uint32_t>(last)) ^
             known.template word<std::uint32_t>(last));
        return difference == 0;
    } else {
        for (std::size_t at = 0; at < size; ++at) {
            if (lower(name[at]) != known.letters[at]) return false;
        }
        return true;
    }
}

template <known_name known>
field_id id_if(const char* name, field_id id) noexcept {
    static_assert(known.size <= 24, "spells() looks at three words at most");
    return spells<known>(name) ? id : field_id::other;
}

constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view{"!#$%&'*+-.^_`|~"}) table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr std::array<bool, 256> is_token_byte = make_token_table();

constexpr bool is_value_byte(char byte) noexcept {
    const auto c = static_cast<unsigned char>(byte);
    return (c >= 0x20 && c != 0x7F) || c == '\t';
}

bool has_only_value_bytes(std::string_view value) noexcept {
    const char* at = value.data();
    const char* const end = at + value.size();
#if defined(__SSE2__)
    const auto all_valid = [](const char* block) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
        const __m128i at_least_space = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(0x20)), bytes);
        const __m128i allowed = _mm_or_si128(at_least_space, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
        const __m128i valid = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)), allowed);
        return _mm_movemask_epi8(valid) == 0xFFFF;
    };
    if (value.size() >= 16) {
        for (; end - at >= 16; at += 16) {
            if (!all_valid(at)) return false;
        }
        return at == end || all_valid(end - 16);
    }
#endif
    return std::all_of(at, end, is_value_byte);
}

constexpr bool is_white_space(char byte) noexcept { return byte == ' ' || byte == '\t'; }

/// A name or value as an error message may show it: short and without bytes that could forge a log line.
std::string printable(std::string_view text) {
    constexpr std::size_t shown = 40;
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char byte : text.substr(0, shown)) {
        const auto c = static_cast<unsigned char>(byte);
        if (c >= 0x20 && c < 0x7F) {
            out += byte;
        } else {
            out += "\\x";
            out += digits[c >> 4];
            out += digits[c & 15];
        }
    }
    if (text.size() > shown) out += "...";
    return out;
}

error invalid_header(std::string message) {
    return {error_code::invalid_header, phase::prepare, culprit::caller, 0, std::move(message)};
}

result<void> validate(std::string_view name, std::string_view value) {
    if (!is_field_name(name)) return invalid_header("header name \"" + printable(name) + "\" is not a token");
    if (name.size() > max_name_size) return invalid_header("header name \"" + printable(name) + "\" is too long");
    // The value is not shown: it may be a secret.
    if (!is_field_value(value))
        return invalid_header("the value of header \"" + printable(name) +
                              "\" contains a control character, or begins or ends with white space");
    return {};
}

}  // namespace

field_id id_of(std::string_view name) noexcept {
    const char* const text = name.data();
    // Within one length the first letters differ, so one comparison decides.
    switch (name.size()) {
    case 2: return id_if<"te">(text, field_id::te);
    case 4:
        switch (text[0] | 0x20) {
        case 'd': return id_if<"date">(text, field_id::date);
        case 'h': return id_if<"host">(text, field_id::host);
        }
        break;
    case 6:
        switch (text[0] | 0x20) {
        case 'a': return id_if<"accept">(text, field_id::accept);
        case 'c': return id_if<"cookie">(text, field_id::cookie);
        case 'e': return id_if<"expect">(text, field_id::expect);
        case 'o': return id_if<"origin">(text, field_id::origin);
        case 's': return id_if<"server">(text, field_id::server);
        }
        break;
    case 7:
        switch (text[0] | 0x20) {
        case 'a': return id_if<"alt-svc">(text, field_id::alt_svc);
        case 'r': return id_if<"referer">(text, field_id::referer);
        case 't': return id_if<"trailer">(text, field_id::trailer);
        case 'u': return id_if<"upgrade">(text, field_id::upgrade);
        }
        break;
    case 8: return id_if<"location">(text, field_id::location);
    case 10:
        switch (text[0] | 0x20) {
        case 'c': return id_if<"connection">(text, field_id::connection);
        case 'k': return id_if<"keep-alive">(text, field_id::keep_alive);
        case 's': return id_if<"set-cookie">(text, field_id::set_cookie);
        case 'u': return id_if<"user-agent">(text, field_id::user_agent);
        }
        break;
    case 11: return id_if<"retry-after">(text, field_id::retry_after);
    case 12: return id_if<"content-type">(text, field_id::content_type);
    case 13: return id_if<"authorization">(text, field_id::authorization);
    case 14: return id_if<"content-length">(text, field_id::content_length);
    case 15: return id_if<"accept-encoding">(text, field_id::accept_encoding);
    case 16:
        switch (text[0] | 0x20) {
        case 'c': return id_if<"content-encoding">(text, field_id::content_encoding);
        case 'p': return id_if<"proxy-connection">(text, field_id::proxy_connection);
        case 'w': return id_if<"www-authenticate">(text, field_id::www_authenticate);
        }
        break;
    case 17: return id_if<"transfer-encoding">(text, field_id::transfer_encoding);
    case 18: return id_if<"proxy-authenticate">(text, field_id::proxy_authenticate);
    case 19: return id_if<"proxy-authorization">(text, field_id::proxy_authorization);
    }
    return field_id::other;
}

bool is_field_name(std::string_view name) noexcept {
    if (name.empty()) return false;
    bool valid = true;
    for (const char byte : name) valid &= is_token_byte[static_cast<unsigned char>(byte)];
    return valid;
}

bool is_field_value(std::string_view value) noexcept {
    if (value.empty()) return true;
    if (is_white_space(value.front()) || is_white_space(value.back())) return false;
    return has_only_value_bytes(value);
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    std::size_t at = 0;
    for (; at + 8 <= left.size(); at += 8) {
        if (lower_8(load_8(left.data() + at)) != lower_8(load_8(right.data() + at))) return false;
    }
    for (; at < left.size(); ++at) {
        if (lower(left[at]) != lower(right[at])) return false;
    }
    return true;
}

result<void> fields::append(std::string_view name, std::string_view value) {
    if (auto checked = validate(name, value); !checked) return checked;
    if (name.size() + value.size() > max_block_size - block_.size())
        return invalid_header("the headers are larger than 4 GiB");
    append_valid(name, value);
    return {};
}

void fields::append_valid(std::string_view name, std::string_view value) {
    assert(name.size() <= max_name_size && name.size() + value.size() <= max_block_size - block_.size());
    const auto name_offset = block_.size();
    const auto value_offset = name_offset + name.size();
    // Grown in one step before either is copied, and through a temporary when it must move: name and value may be views
    // into this very object.
    if (const auto needed = value_offset + value.size(); needed > block_.capacity()) {
        std::string grown;
        grown.reserve(std::max({needed, 2 * block_.capacity(), first_block_size}));
        grown.append(block_).append(name).append(value);
        block_.swap(grown);
    } else {
        block_.append(name).append(value);
    }
    if (records_.capacity() == 0) records_.reserve(first_record_count);
    records_.push_back({static_cast<std::uint32_t>(name_offset), static_cast<std::uint32_t>(value_offset),
                        static_cast<std::uint32_t>(value.size()), static_cast<std::uint16_t>(name.size()),
                        id_of({block_.data() + name_offset, name.size()})});
}

result<void> fields::set(std::string_view name, std::string_view value) {
    if (auto checked = validate(name, value); !checked) return checked;
    const auto is_named = [this, id = id_of(name), name](const record& at) {
        if (id != field_id::other || at.id != field_id::other) return at.id == id;
        return equals_ignoring_case({block_.data() + at.name_offset, at.name_size}, name);
    };
    const auto first = std::find_if(records_.begin(), records_.end(), is_named);
    if (first == records_.end()) return append(name, value);

    // The block is written anew, without the bytes of replaced and removed lines, so that setting a field again and
    // again does not make it grow.
    fields rewritten;
    rewritten.records_.reserve(records_.size());
    rewritten.block_.reserve(block_.size() + name.size() + value.size());
    for (auto at = records_.begin(); at != records_.end(); ++at) {
        const field line = (*this)[static_cast<std::size_t>(at - records_.begin())];
        if (at == first) {
            if (auto appended = rewritten.append(name, value); !appended) return appended;
        } else if (!is_named(*at)) {
            rewritten.append_valid(line.name, line.value);
        }
    }
    *this = std::move(rewritten);
    return {};
}

std::size_t fields::remove(std::string_view name) noexcept {
    if (const field_id id = id_of(name); id != field_id::other) return remove(id);
    return std::erase_if(records_, [&](const record& at) {
        return at.id == field_id::other && equals_ignoring_case({block_.data() + at.name_offset, at.name_size}, name);
    });
}

std::size_t fields::remove(field_id id) noexcept {
    return std::erase_if(records_, [&](const record& at) { return at.id == id; });
}

std::optional<std::string_view> fields::find(std::string_view name) const noexcept {
    if (const field_id id = id_of(name); id != field_id::other) return find(id);
    for (const record& at : records_) {
        if (at.id == field_id::other && at.name_size == name.size() &&
            equals_ignoring_case({block_.data() + at.name_offset, at.name_size}, name))
            return std::string_view{block_.data() + at.value_offset, at.value_size};
    }
    return std::nullopt;
}

std::optional<std::string_view> fields::find(field_id id) const noexcept {
    for (const record& at : records_) {
        if (at.id == id) return std::string_view{block_.data() + at.value_offset, at.value_size};
    }
    return std::nullopt;
}

std::size_t fields::count(field_id id) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(), [&](const record& at) { return at.id == id; }));
}

std::optional<std::string> fields::joined(std::string_view name) const {
    std::optional<std::string> all;
    const field_id id = id_of(name);
    for (const field line : *this) {
        if (line.id != id || (id == field_id::other && !equals_ignoring_case(line.name, name))) continue;
        if (all) {
            all->append(", ").append(line.value);
        } else {
            all.emplace(line.value);
        }
    }
    return all;
}

void fields::assign_block(std::string_view block, const record* records, std::size_t count) {
    block_.assign(block);
    records_.assign(records, records + count);
}

}  // namespace pabal
