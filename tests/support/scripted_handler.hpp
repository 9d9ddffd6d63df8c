#pragma once
/// \file
/// A handler that answers by a function of the whole request: at once, late, early (before it has read the body), in pieces,
/// or never; and remembers what it was asked.

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pabal/handler.hpp>

#include "base/intrusive_list.hpp"
#include "reactor/reactor.hpp"

namespace pabal::testing {

/// A request as it arrived.
struct seen_request {
    request_head head;
    std::string body;
    /// All values of that name, joined by " | ", so that duplicates show.
    std::string all(std::string_view name) const {
        std::string joined;
        for (const fields::field line : head.headers) {
            if (!equals_ignoring_case(line.name, name)) continue;
            joined.append(joined.empty() ? "" : " | ").append(line.value);
        }
        return joined;
    }
};

struct scripted_answer {
    int status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    bool chunked = false;           ///< no Content-Length
    reactor::duration delay{0};     ///< before the head
    bool never = false;             ///< no answer at all
    bool early = false;             ///< decided by `scripted_handler::answers_early`: the request's body was not read
    std::size_t piece = 16 * 1024;  ///< of the body, pushed at a time
};

inline scripted_answer redirect_to(int status, std::string location, std::string body = "elsewhere") {
    return {.status = status, .body = std::move(body), .headers = {{"Location", std::move(location)}}};
}

class scripted_handler final : public handler {
public:
    using script = std::function<scripted_answer(const seen_request&)>;

    explicit scripted_handler(reactor::reactor& runs_on, script answers = {})
        : reactor(runs_on), answer(std::move(answers)) {}
    ~scripted_handler() override {
        while (!under_way_.empty()) under_way_.front().release();
    }

    void handle(exchange_ptr started) override {
        const auto made = base::make_counted<replying>(*this, started);
        made->self = made;
        under_way_.push_back(*made);
        started->attach(made.get());
        if (answers_early && answers_early(started->request)) return made->decide();
        made->read_request();
    }
    bool is_answering() noexcept { return !under_way_.empty(); }

    reactor::reactor& reactor;
    script answer;
    std::function<bool(const request_head&)> answers_early;
    std::vector<seen_request> seen;

private:
    class replying final : public responder,
                           public base::ref_counted,
                           public reactor::timer,
                           public base::list_hook<replying> {
    public:
        replying(scripted_handler& of, exchange_ptr started) : handler_(of), exchange_(std::move(started)) {}

        void read_request() {
            const base::intrusive_ptr<replying> alive(this);
            char buffer[4096];
            while (exchange_) {
                const exchange_ptr asked = exchange_;
                auto got = asked->read_request_body(buffer);
                if (!exchange_) return;  // cancelled meanwhile
                if (!got) {
                    release();
                    return asked->on_error(std::move(got).error());
                }
                if (got->what == read_outcome::kind::would_block) return;
                if (got->what == read_outcome::kind::end) return decide();
                body_.append(buffer, got->size);
            }
        }
        void decide() {
            handler_.seen.push_back({exchange_->request, std::move(body_)});
            decided_ = true;
            answer_ = handler_.answer ? handler_.answer(handler_.seen.back()) : scripted_answer{};
            if (answer_.never) return;
            if (answer_.delay > reactor::duration::zero()) return handler_.reactor.set_timer_in(*this, answer_.delay);
            on_timer();
        }
        /// The answer begins.
        void on_timer() override {
            const base::intrusive_ptr<replying> alive(this);
            response_head head;
            head.status = answer_.status;
            for (const auto& [name, value] : answer_.headers) head.headers.append_valid(name, value);
            if (!answer_.chunked && answer_.status != 204 && answer_.status != 304)
                head.headers.append_valid("Content-Length", std::to_string(answer_.body.size()));
            if (exchange_->request.method == "HEAD" || answer_.status == 204 || answer_.status == 304)
                answer_.body.clear();
            left_ = answer_.body;
            const exchange_ptr answered = exchange_;
            const delivery chosen = answered->on_response(std::move(head));
            if (!exchange_) return;
            if (chosen == delivery::push) return push();
            pulled_ = true;
            answered->on_readable();
        }
        void push() {
            const base::intrusive_ptr<replying> alive(this);
            while (exchange_ && !left_.empty()) {
                const std::string_view piece = left_.substr(0, answer_.piece);
                left_.remove_prefix(piece.size());
                if (exchange_->on_data(piece) == flow::pause) return;
            }
            if (exchange_) finish();
        }
        void finish() {
            const exchange_ptr finished = exchange_;
            release();
            finished->on_end({});
        }
        void release() {
            const base::intrusive_ptr<replying> last = std::move(self);
            cancel_timer();
            static_cast<base::list_hook<replying>&>(*this).unlink();
            if (exchange_) exchange_->attach(nullptr);
            exchange_ = nullptr;
        }
        void cancel_timer() { reactor::timer::cancel(); }

        void cancel(exchange&) override { release(); }
        void resume(exchange&) override { push(); }
        void request_body_ready(exchange&) override {
            if (!decided_) read_request();
        }
        result<read_outcome> read_response(exchange&, std::span<char> buffer) override {
            if (!pulled_) return read_outcome{};
            if (left_.empty()) {
                finish();
                return read_outcome{read_outcome::kind::end, 0};
            }
            const std::size_t size = std::min({buffer.size(), left_.size(), answer_.piece});
            std::memcpy(buffer.data(), left_.data(), size);
            left_.remove_prefix(size);
            return read_outcome{read_outcome::kind::data, size};
        }

        base::intrusive_ptr<replying> self;  ///< until the exchange is over

    private:
        scripted_handler& handler_;
        exchange_ptr exchange_;
        std::string body_;
        scripted_answer answer_;
        std::string_view left_;
        bool decided_ = false;
        bool pulled_ = false;
    };

    base::intrusive_list<replying, replying> under_way_;
};

}  // namespace pabal::testing
