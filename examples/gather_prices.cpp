// Many requests at once on one thread, with coroutines:  example_gather_prices http://127.0.0.1:8000/quotes/{BTC,ETH,SOL}
#include <iostream>
#include <string>
#include <vector>

#include <pabal/pabal.hpp>

namespace {

struct tally {
    int answered = 0;
    int failed = 0;
};

pabal::task<void> gather_price(pabal::async_session& session, std::string url, tally& total) {
    const auto response = co_await session.get(url);
    if (!response) {
        std::cerr << response.error().message << '\n';
        ++total.failed;
        co_return;
    }
    std::cout << url << ' ' << response->body << '\n';
    ++total.answered;
}

}  // namespace

int main(int count, char** arguments) {
    pabal::async_session session;
    tally total;
    std::vector<pabal::task<void>> prices;
    for (int index = 1; index < count; ++index) prices.push_back(gather_price(session, arguments[index], total));
    session.run(std::move(prices));
    std::cerr << total.answered << " answered, " << total.failed << " failed\n";
    return total.failed == 0 ? 0 : 1;
}
