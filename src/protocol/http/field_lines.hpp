#pragma once
/// \file
/// The lines of a head as nghttp2 and nghttp3 take them, which copy them, and the names in lower case (RFC 9113 section 8.2,
/// RFC 9114 section 4.2).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pabal::http {

/// `Line`: nghttp2_nv or nghttp3_nv. Views of what they were given; a call adds one.
template <class Line>
class field_lines {
public:
    void operator()(std::string_view name, std::string_view value) {
        Line line{};
        line.name = bytes_of(name);
        line.namelen = name.size();
        line.value = bytes_of(value);
        line.valuelen = value.size();
        if (size_ < few_.size()) few_[size_] = line;
        else add_to_many(line);
        ++size_;
    }
    const Line* data() const noexcept { return many_.empty() ? few_.data() : many_.data(); }
    std::size_t size() const noexcept { return size_; }

private:
    static std::uint8_t* bytes_of(std::string_view text) noexcept {
        return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    }
    void add_to_many(const Line& line) {
        if (many_.empty()) many_.assign(few_.begin(), few_.end());
        many_.push_back(line);
    }

    std::array<Line, 24> few_;  ///< nothing is allocated for the heads of every day
    std::vector<Line> many_;    ///< all of them, when they are more
    std::size_t size_ = 0;
};

}  // namespace pabal::http
