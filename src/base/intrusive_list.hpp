#pragma once
/// \file
/// A doubly linked list whose links live in the elements: O(1) push, pop and removal from the middle, no allocation.
/// The list does not own its elements; an element that dies unlinks itself.

#include <cstddef>

namespace pabal::base {

// The analyzer does not see that an element which dies takes itself out of its lists, and follows links that are gone.
// NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete, clang-analyzer-core.NullDereference)

/// One link. An element that is in several lists at once has several hooks, told apart by `Tag`.
template <class Tag = void>
class list_hook {
public:
    list_hook() noexcept = default;
    list_hook(const list_hook&) = delete;
    list_hook& operator=(const list_hook&) = delete;
    ~list_hook() { unlink(); }

    bool is_linked() const noexcept { return next_ != nullptr; }
    void unlink() noexcept {
        if (!next_) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = previous_ = nullptr;
    }

private:
    template <class, class>
    friend class intrusive_list;
    list_hook* next_ = nullptr;
    list_hook* previous_ = nullptr;
};

template <class T, class Tag = void>
class intrusive_list {
    using hook = list_hook<Tag>;

public:
    intrusive_list() noexcept { head_.next_ = head_.previous_ = &head_; }
    ~intrusive_list() {
        while (!empty()) head_.next_->unlink();
        head_.next_ = head_.previous_ = nullptr;
    }
    intrusive_list(const intrusive_list&) = delete;
    intrusive_list& operator=(const intrusive_list&) = delete;

    bool empty() const noexcept { return head_.next_ == &head_; }
    T& front() noexcept { return static_cast<T&>(*head_.next_); }
    T& back() noexcept { return static_cast<T&>(*head_.previous_); }
    void push_back(T& element) noexcept { insert_before(head_, element); }
    void push_front(T& element) noexcept { insert_before(*head_.next_, element); }
    T& pop_front() noexcept {
        T& element = front();
        static_cast<hook&>(element).unlink();
        return element;
    }
    T& pop_back() noexcept {
        T& element = back();
        static_cast<hook&>(element).unlink();
        return element;
    }
    /// Moves every element of `other` to the end of this list, in order.
    void splice_back(intrusive_list& other) noexcept {
        if (other.empty()) return;
        hook* first = other.head_.next_;
        hook* last = other.head_.previous_;
        first->previous_ = head_.previous_;
        head_.previous_->next_ = first;
        last->next_ = &head_;
        head_.previous_ = last;
        other.head_.next_ = other.head_.previous_ = &other.head_;
    }
    /// Calls `visit(T&)` for each; `visit` may unlink the element it is given, and no other.
    template <class Visitor>
    void for_each(Visitor&& visit) {
        for (hook* at = head_.next_; at != &head_;) {
            hook* following = at->next_;
            visit(static_cast<T&>(*at));
            at = following;
        }
    }

private:
    static void insert_before(hook& position, T& element) noexcept {
        hook& link = element;
        link.previous_ = position.previous_;
        link.next_ = &position;
        position.previous_->next_ = &link;
        position.previous_ = &link;
    }
    hook head_;
};

// NOLINTEND(clang-analyzer-cplusplus.NewDelete, clang-analyzer-core.NullDereference)

}  // namespace pabal::base
