#include <array>

#include <pabal/server.hpp>

#include "base/block_pool.hpp"

namespace pabal {

namespace {

/// Collects one request's body, then asks the application. Deletes itself with its exchange.
class collecting final : public responder, public base::ref_counted, public base::recycled {
public:
    collecting(application& asked, exchange_ptr started) : application_(asked), exchange_(std::move(started)) {}

    void go_on() {
        std::array<char, 16 * 1024> buffer;
        while (exchange_) {
            auto got = exchange_->read_request_body(buffer);
            if (!got) return end([&](exchange& x) { x.on_error(std::move(got).error()); });
            if (got->what == read_outcome::kind::would_block) return;
            if (got->what == read_outcome::kind::end) return answer();
            body_.append(buffer.data(), got->size);
            if (body_.size() > application_.max_body()) {
                return send({413, "text/plain", "the request body is larger than this server accepts\n", {}});
            }
        }
    }

    void cancel(exchange&) override {
        end([](exchange&) {});
    }
    void resume(exchange&) override {}
    result<read_outcome> read_response(exchange&, std::span<char>) override { return read_outcome{}; }
    void request_body_ready(exchange&) override {
        const base::intrusive_ptr<collecting> alive(this);
        go_on();
    }

    base::intrusive_ptr<collecting> self;  ///< until the exchange is over

private:
    void answer() {
        const std::string_view target = exchange_->request.target;
        const std::size_t query = target.find('?');
        incoming whole{exchange_->request, std::string(target.substr(0, query)),
                       query == std::string_view::npos ? "" : std::string(target.substr(query + 1)), std::move(body_)};
        send(application_.answer(whole));
    }

    void send(reply made) {
        end([&](exchange& x) {
            response_head head;
            head.status = made.status;
            if (!made.content_type.empty()) head.headers.append_valid("Content-Type", made.content_type);
            head.headers.append_valid("Content-Length", std::to_string(made.body.size()));
            for (const fields::field line : made.headers) head.headers.append_valid(line.name, line.value);
            x.on_response(std::move(head));
            x.on_data(made.body);
            x.on_end({});
        });
    }

    template <class Last>
    void end(Last&& last) {
        const base::intrusive_ptr<collecting> alive = std::move(self);
        const exchange_ptr finished = std::exchange(exchange_, nullptr);
        if (!finished) return;
        finished->attach(nullptr);
        last(*finished);
    }

    application& application_;
    exchange_ptr exchange_;
    std::string body_;
};

}  // namespace

void application::handle(exchange_ptr started) {
    const auto made = base::make_counted<collecting>(*this, started);
    made->self = made;
    started->attach(made.get());
    made->go_on();
}

}  // namespace pabal
