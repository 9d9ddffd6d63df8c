#pragma once
/// \file
/// A request body that lies in memory: held here, or where somebody else keeps it for us.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pabal::client {

class call_content {
public:
    call_content() = default;
    call_content(std::string held) : held_(std::move(held)) {}  // NOLINT(google-explicit-constructor): it is one
    /// `kept` is neither moved nor changed as long as `keeper` lives, which may end on any thread that drives a session.
    call_content(std::string_view kept, std::shared_ptr<const void> keeper) : kept_(kept), keeper_(std::move(keeper)) {}

    std::string_view view() const noexcept { return keeper_ ? kept_ : std::string_view(held_); }
    std::size_t size() const noexcept { return view().size(); }

private:
    std::string held_;
    std::string_view kept_;
    std::shared_ptr<const void> keeper_;
};

}  // namespace pabal::client
