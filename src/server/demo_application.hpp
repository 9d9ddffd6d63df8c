#pragma once
/// \file
/// The price server to try things on: /price, /quotes/SYMBOL, /bytes/N, /delay/MS, /echo.
///
/// Most answers are whole replies; /bytes streams with backpressure and /delay waits on a timer, so the two show how a handler
/// that is no `application` is written.

#include <memory>

#include <pabal/server.hpp>

namespace pabal::server_demo {

class demo_application final : public handler {
public:
    demo_application();
    ~demo_application() override;
    void handle(exchange_ptr started) override;
    /// Whose timers /delay uses; set before the first request.
    void serve_on(server& host) noexcept { host_ = &host; }

private:
    server* host_ = nullptr;
    std::unique_ptr<application> whole_;
};

}  // namespace pabal::server_demo
