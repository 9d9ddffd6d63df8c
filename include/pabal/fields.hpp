#pragma once
/// \file
/// HTTP fields (headers and trailers): RFC 9110 section 5.
///
/// `fields` is an ordered multimap: names compare without regard to case, the spelling and the order that came (or was
/// given) are kept, repeated names stay separate lines. Everything lives in one block of bytes plus one table of offsets,
/// so that a parsed head costs two allocations however many fields it has.
///
/// Views returned by it point into the object and are valid until the next call of a non-const member.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/result.hpp>

namespace pabal {

/// The field names the engine itself acts on; everything else is `other`. `id_of` is how a parser classifies a name once.
enum class field_id : std::uint8_t {
    other,
    accept,
    accept_encoding,
    alt_svc,
    authorization,
    connection,
    content_encoding,
    content_length,
    content_type,
    cookie,
    date,
    expect,
    host,
    keep_alive,
    location,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    referer,
    retry_after,
    server,
    set_cookie,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    www_authenticate,
};

/// Classifies a name (any case).
field_id id_of(std::string_view name) noexcept;

/// True if `name` is a token, RFC 9110 section 5.6.2 (so: non-empty, no separators, no controls, no 8-bit bytes).
bool is_field_name(std::string_view name) noexcept;

/// True if `value` holds no NUL, CR, LF or other control but HTAB, and neither begins nor ends in white space
/// (RFC 9110 section 5.5). Bytes of 0x80 and above are allowed (obs-text).
bool is_field_value(std::string_view value) noexcept;

/// ASCII comparison without regard to case.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

class fields {
public:
    struct field {
        std::string_view name;
        std::string_view value;
        field_id id = field_id::other;
    };

    /// Offsets of one field line into the block; made by parsers, see `assign_block`.
    struct record {
        std::uint32_t name_offset = 0;
        std::uint32_t value_offset = 0;
        std::uint32_t value_size = 0;
        std::uint16_t name_size = 0;
        field_id id = field_id::other;
    };

    class const_iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = field;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = field;

        const_iterator() = default;
        const_iterator(const fields* owner, std::size_t index) noexcept : owner_(owner), index_(index) {}
        field operator*() const noexcept { return (*owner_)[index_]; }
        const_iterator& operator++() noexcept { return ++index_, *this; }
        const_iterator operator++(int) noexcept { return {owner_, index_++}; }
        bool operator==(const const_iterator&) const noexcept = default;

    private:
        const fields* owner_ = nullptr;
        std::size_t index_ = 0;
    };

    /// Appends a line. Fails with `invalid_header` (caller's fault) when name or value are not what RFC 9110 allows;
    /// leading and trailing white space of the value is the caller's to remove.
    result<void> append(std::string_view name, std::string_view value);

    /// Appends a line that is known to be valid (a parser's or the engine's own).
    void append_valid(std::string_view name, std::string_view value);

    /// Replaces all lines of that name by one at the place of the first (or appends). Same errors as `append`.
    result<void> set(std::string_view name, std::string_view value);

    /// Removes every line of that name; returns how many there were.
    std::size_t remove(std::string_view name) noexcept;
    std::size_t remove(field_id id) noexcept;

    /// The first value of that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::optional<std::string_view> find(field_id id) const noexcept;
    bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
    bool contains(field_id id) const noexcept { return find(id).has_value(); }
    std::size_t count(field_id id) const noexcept;

    /// All values of that name joined by ", " (RFC 9110 section 5.3); empty optional when there is none.
    std::optional<std::string> joined(std::string_view name) const;

    field operator[](std::size_t index) const noexcept {
        const record& at = records_[index];
        return {
            {block_.data() + at.name_offset, at.name_size}, {block_.data() + at.value_offset, at.value_size}, at.id};
    }
    std::size_t size() const noexcept { return records_.size(); }
    bool empty() const noexcept { return records_.empty(); }
    /// Room for `count` lines of `bytes` bytes altogether.
    void reserve(std::size_t bytes, std::size_t count) { block_.reserve(bytes), records_.reserve(count); }
    /// Bytes of all names and values together.
    std::size_t byte_size() const noexcept { return block_.size(); }
    void clear() noexcept { block_.clear(), records_.clear(); }
    const_iterator begin() const noexcept { return {this, 0}; }
    const_iterator end() const noexcept { return {this, records_.size()}; }

    /// Takes over a parsed block: `block` is copied once, `records` index into it. The parser vouches for validity.
    void assign_block(std::string_view block, const record* records, std::size_t count);

private:
    std::string block_;
    std::vector<record> records_;
};

}  // namespace pabal
