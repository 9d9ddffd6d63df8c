#include "reactor/reactor.hpp"

#include <algorithm>
#include <utility>

namespace pabal::reactor {

reactor::reactor(std::unique_ptr<poller> poller) : poller_(std::move(poller)), now_(poller_->now()), timers_(now_) {}

reactor::~reactor() { free_retired(); }

result<void> reactor::watch(int descriptor, io_watcher& watcher, interest wanted) {
    // An event for a dead watcher at the same address may still be in flight; as it cannot be told from one for the new
    // watcher, it is delivered: a spurious notification does no harm, a lost one would.
    std::erase(unwatched_while_waiting_, &watcher);
    return poller_->add(descriptor, watcher, wanted);
}

void reactor::unwatch(int descriptor, io_watcher& watcher) {
    poller_->remove(descriptor);
    if (waiting_) {
        unwatched_while_waiting_.push_back(
            &watcher);  // the waiting thread is writing events_: it looks there afterwards
        return;
    }
    for (std::size_t index = events_begin_; index < events_end_; ++index) {
        if (events_[index].watcher == &watcher) events_[index].watcher = nullptr;
    }
}

void reactor::set_timer(timer& timer, time_point deadline) {
    timers_.set(timer, deadline);
    if (waiting_ && deadline < waiting_until_) {
        waiting_until_ = deadline;  // one wake is enough for every timer up to here
        poller_->wake();
    }
}

void reactor::turn(std::optional<duration> limit) {
    limit = bounded_wait(limit);
    const std::size_t count = poller_->wait(limit, events_);
    events_end_ = count;
    run_due();
}

void reactor::turn(std::optional<duration> limit, std::unique_lock<std::mutex>& lock) {
    limit = bounded_wait(limit);
    begin_waiting(limit);
    lock.unlock();
    const std::size_t count = poller_->wait(limit, events_);
    lock.lock();
    end_waiting(count);
    run_due();
}

/// How long the poller may wait so that nothing that is due waits with it.
std::optional<duration> reactor::bounded_wait(std::optional<duration> limit) {
    if (limit && *limit <= duration::zero()) return duration::zero();
    if (!deferred_.empty() || has_posted_.load(std::memory_order_acquire)) return duration::zero();
    if (const auto due = timers_.next_due()) {
        const duration until_due = std::max(*due - poller_->now(), duration::zero());
        if (!limit || until_due < *limit) return until_due;
    }
    return limit;
}

void reactor::begin_waiting(std::optional<duration> limit) {
    waiting_until_ = limit ? poller_->now() + *limit : time_point::max();
    waiting_ = true;
}

void reactor::end_waiting(std::size_t count) {
    waiting_ = false;
    events_end_ = count;
    if (unwatched_while_waiting_.empty()) return;
    for (std::size_t index = 0; index < count; ++index) {
        if (std::ranges::find(unwatched_while_waiting_, events_[index].watcher) != unwatched_while_waiting_.end()) {
            events_[index].watcher = nullptr;
        }
    }
    unwatched_while_waiting_.clear();
}

void reactor::run_due() {
    refresh_now();
    for (events_begin_ = 0; events_begin_ < events_end_;) {
        const poll_event event = events_[events_begin_++];
        if (event.watcher) event.watcher->on_io(event.now);
    }
    events_begin_ = events_end_ = 0;
    timers_.advance(now_);
    run_posted();
    run_deferred();
    free_retired();
}

bool reactor::finish_turn() {
    if (deferred_.empty()) return false;
    run_deferred();
    free_retired();
    return true;
}

void reactor::post(std::function<void()> work) {
    {
        const std::lock_guard guard(posted_mutex_);
        posted_.push_back(std::move(work));
        has_posted_.store(true, std::memory_order_release);
    }
    poller_->wake();
}

void reactor::run_posted() {
    if (!has_posted_.load(std::memory_order_acquire)) return;
    std::vector<std::function<void()>> posted;
    {
        const std::lock_guard guard(posted_mutex_);
        posted.swap(posted_);
        has_posted_.store(false, std::memory_order_release);
    }
    for (auto& work : posted) work();
}

void reactor::run_deferred() {
    // What is deferred from here runs in the next turn, so that work which defers itself cannot keep out the sockets.
    base::intrusive_list<deferred> running;
    running.splice_back(deferred_);
    while (!running.empty()) running.pop_front().run_deferred();
}

void reactor::free_retired() {
    while (!retired_.empty()) {
        auto freed = std::exchange(retired_, std::move(freed_before_));  // destructors may retire more
        for (const retired& each : freed) each.destroy(each.object);
        freed.clear();
        freed_before_ = std::move(freed);
    }
}

void reactor::arm_host_alarm() {
    const bool work_is_waiting = !deferred_.empty() || !retired_.empty() || has_posted_.load(std::memory_order_acquire);
    if (work_is_waiting) poller_->wake();  // cheaper than an alarm for now, and leaves the one that is set in its place
    else poller_->set_host_alarm(timers_.next_due());
}

}  // namespace pabal::reactor
