#pragma once
/// \file
/// A map from names that knows which of them was used most recently: what bounded caches are made of. Every operation is O(1).
/// It does not bound itself; its owner drops the oldest when it has too many, by whatever it counts.

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pabal::base {

template <class Value>
class lru_map {
public:
    struct entry {
        explicit entry(std::string_view its_name) : name(its_name) {}
        const std::string name;
        Value value{};
    };

    lru_map() = default;
    lru_map(const lru_map&) = delete;  // the index refers to the entries
    lru_map& operator=(const lru_map&) = delete;

    /// What is known by that name, which counts as a use; null if nothing is.
    Value* find(std::string_view name) {
        const auto found = index_.find(name);
        return found == index_.end() ? nullptr : &used(found->second);
    }
    /// What is known by that name, or a new value.
    Value& operator[](std::string_view name) {
        const auto found = index_.find(name);
        if (found != index_.end()) return used(found->second);
        entries_.emplace_front(name);
        index_.emplace(entries_.front().name, entries_.begin());
        return entries_.front().value;
    }
    void erase(std::string_view name) {
        const auto found = index_.find(name);
        if (found == index_.end()) return;
        const auto at = found->second;
        index_.erase(found);
        entries_.erase(at);
    }
    /// The entry unused for the longest time; there must be one.
    entry& oldest() noexcept { return entries_.back(); }
    void clear() noexcept {
        index_.clear();
        entries_.clear();
    }
    std::size_t size() const noexcept { return entries_.size(); }
    bool empty() const noexcept { return entries_.empty(); }

    /// Most recently used first.
    auto begin() const noexcept { return entries_.begin(); }
    auto end() const noexcept { return entries_.end(); }
    auto begin() noexcept { return entries_.begin(); }
    auto end() noexcept { return entries_.end(); }

private:
    using entries = std::list<entry>;
    Value& used(typename entries::iterator at) {
        entries_.splice(entries_.begin(), entries_, at);
        return at->value;
    }
    entries entries_;
    std::unordered_map<std::string_view, typename entries::iterator> index_;
};

}  // namespace pabal::base
