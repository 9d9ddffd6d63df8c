#include <pabal/coroutine.hpp>

#include "base/fork.hpp"
#include "client/public_session.hpp"

namespace pabal {

struct async_session::state {
    explicit state(session_options given)
        : options(std::move(given)), core(std::make_unique<client::client_core>(options)) {}
    ~state() {
        if (born.is_elsewhere()) base::abandon(core);
        else core->save();
    }

    /// The core of this process. A forked child makes one of its own, with the same cookies.
    client::client_core& here() {
        if (!born.is_elsewhere()) return *core;
        auto made = std::make_unique<client::client_core>(options);
        if (core->policies && made->policies) made->policies->cookies = core->policies->cookies;
        std::swap(core, made);
        base::abandon(made);
        born = {};
        return *core;
    }

    const session_options options;
    std::unique_ptr<client::client_core> core;
    base::birthplace born;
};

async_session::async_session(session_options options) : state_(std::make_unique<state>(std::move(options))) {}
async_session::~async_session() = default;

void async_session::turn() { state_->here().machinery->reactor().turn(std::nullopt); }

void async_session::run(std::vector<task<void>> tasks) {
    const auto all_done = [&] {
        while (!tasks.empty() && tasks.back().is_done()) {
            tasks.back().take();
            tasks.pop_back();
        }
        return tasks.empty();
    };
    drive(
        [&] {
            for (task<void>& each : tasks) each.start();
        },
        all_done);
}

async_session::waiting async_session::get(std::string_view url) {
    request asked;
    asked.url = url;
    return send(std::move(asked));
}

/// The call of one `co_await`; its end resumes the coroutine at the end of the reactor's turn, where nothing of the engine
/// is on the stack that the coroutine could destroy.
struct async_session::waiting::state final : client::call_observer, reactor::deferred {
    state(async_session& session, request to_send) : owner(session), asked(std::move(to_send)) {}
    ~state() {
        if (born.is_elsewhere()) base::abandon(call);
        else if (call) call->cancel();
    }
    void on_call_done(client::call&) override { owner.state_->here().machinery->reactor().defer(*this); }
    void run_deferred() override { awaiting.resume(); }

    async_session& owner;
    request asked;
    client::call_ptr call;
    std::optional<error> refused;
    std::coroutine_handle<> awaiting;
    base::birthplace born;
};

async_session::waiting::waiting(async_session& owner, request asked)
    : state_(std::make_unique<state>(owner, std::move(asked))) {}
async_session::waiting::~waiting() = default;
async_session::waiting::waiting(waiting&&) noexcept = default;

/// False: it failed at once, the coroutine goes on.
bool async_session::waiting::await_suspend(std::coroutine_handle<> awaiting) {
    client::client_core& core = state_->owner.state_->here();
    state_->awaiting = awaiting;
    state_->born = {};
    if (core.failure) {
        state_->refused = core.failure;
        return false;
    }
    auto prepared = client::to_call(std::move(state_->asked), *core.policies);
    if (!prepared) {
        state_->refused = std::move(prepared).error();
        return false;
    }
    state_->call = base::make_counted<client::call>(std::move(*prepared), state_.get());
    state_->call->start(*core.policies);
    return true;
}

result<response> async_session::waiting::await_resume() {
    if (state_->refused) return std::move(*state_->refused);
    return client::to_response(*state_->call);
}

}  // namespace pabal
