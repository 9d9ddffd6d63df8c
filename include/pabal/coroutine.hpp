#pragma once
/// \file
/// The same client for C++20 coroutines: one thread, any number of requests at once.
///
///     pabal::task<void> quote(pabal::async_session& session, std::string url) {
///         auto response = co_await session.get(url);
///         if (response) std::cout << response->body << '\n';
///     }
///     pabal::async_session session;
///     std::vector<pabal::task<void>> quotes;
///     for (const auto& url : urls) quotes.push_back(quote(session, url));
///     session.run(std::move(quotes));
///
/// A `task` starts when it is awaited or given to `run`. Tasks and the session belong to the thread that calls `run`.
/// Destroying a task that waits for a response cancels the request.

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <pabal/session.hpp>

namespace pabal {

template <class T>
class task;

namespace coroutine_detail {

struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
        return finished.promise().continuation ? finished.promise().continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
};

struct promise_base {
    std::coroutine_handle<> continuation;
    std::exception_ptr exception;
    std::suspend_always initial_suspend() const noexcept { return {}; }
    final_awaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct promise : promise_base {
    std::optional<T> value;
    task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& returned) {
        value.emplace(std::forward<U>(returned));
    }
    T take() {
        if (exception) std::rethrow_exception(exception);
        return std::move(*value);
    }
};

template <>
struct promise<void> : promise_base {
    task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (exception) std::rethrow_exception(exception);
    }
};

}  // namespace coroutine_detail

/// A lazily started coroutine. Owns its frame.
template <class T>
class [[nodiscard]] task {
public:
    using promise_type = coroutine_detail::promise<T>;

    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    task& operator=(task&& other) noexcept { return std::swap(frame_, other.frame_), *this; }
    ~task() {
        if (frame_) frame_.destroy();
    }

    bool is_done() const noexcept { return !frame_ || frame_.done(); }
    /// Runs it to its first wait. For `run`; `co_await` does it by itself.
    void start() { frame_.resume(); }
    /// The value of a finished task; rethrows what it threw.
    T take() { return frame_.promise().take(); }

    bool await_ready() const noexcept { return is_done(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        frame_.promise().continuation = awaiting;
        return frame_;
    }
    T await_resume() { return take(); }

private:
    std::coroutine_handle<promise_type> frame_;
};

template <class T>
task<T> coroutine_detail::promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise>::from_promise(*this));
}
inline task<void> coroutine_detail::promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise>::from_promise(*this));
}

/// Belongs to one thread. In a forked child it goes on with connections of its own; what was awaited before the fork ends in
/// the parent alone.
class async_session {
public:
    explicit async_session(session_options options = {});
    ~async_session();
    async_session(const async_session&) = delete;
    async_session& operator=(const async_session&) = delete;

    /// A request under way: what `co_await` takes. Starts when awaited; destroyed earlier, it is cancelled.
    class waiting {
    public:
        waiting(async_session& owner, request asked);
        ~waiting();
        waiting(waiting&&) noexcept;
        waiting& operator=(waiting&&) = delete;

        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> awaiting);
        result<response> await_resume();

    private:
        struct state;
        std::unique_ptr<state> state_;
    };

    waiting send(request asked) { return {*this, std::move(asked)}; }
    waiting get(std::string_view url);

    /// Starts all of them and drives the session until the last is done; rethrows the first exception one of them threw.
    void run(std::vector<task<void>> tasks);
    template <class T>
    T run(task<T> only) {
        drive([&] { only.start(); }, [&] { return only.is_done(); });
        return only.take();
    }

private:
    template <class Start, class Done>
    void drive(Start&& start, Done&& done) {
        start();
        while (!done()) turn();
    }
    void turn();

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pabal
