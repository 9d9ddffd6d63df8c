#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/quic/conduct.hpp"
#include "protocol/quic/machine.hpp"
#include "protocol/quic/quic_world.hpp"
#include "protocol/quic/recording_user.hpp"

namespace pabal::quic {
namespace {

using namespace testing;

struct told {
    std::string id;
    vantage_point whose{};
    std::vector<std::string> records;
};

/// Keeps what it is told, also of machines that are gone.
class remembered_logs final : public event_logs {
public:
    std::unique_ptr<event_log> begin(std::string_view original_id, vantage_point whose) override {
        if (refuses) return nullptr;
        all.push_back(std::make_shared<told>());
        all.back()->id = original_id;
        all.back()->whose = whose;
        return std::make_unique<log>(all.back());
    }
    bool refuses = false;
    std::vector<std::shared_ptr<told>> all;

private:
    struct log final : event_log {
        explicit log(std::shared_ptr<told> into) : into_(std::move(into)) {}
        void write(std::string_view record) override { into_->records.emplace_back(record); }
        std::shared_ptr<told> into_;
    };
};

std::string in_hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char each : bytes) {
        for (const unsigned half : {(static_cast<unsigned>(each) >> 4U) & 15U, static_cast<unsigned>(each) & 15U})
            text += "0123456789abcdef"[half];
    }
    return text;
}

/// The number that a record gives to a name; 0: none.
std::uint64_t number_of(std::string_view record, std::string_view name) {
    const std::string written = '"' + std::string(name) + "\":";
    const auto at = record.find(written);
    return at == record.npos ? 0 : std::stoull(std::string(record.substr(at + written.size(), 20)));
}

/// What was left of the congestion window, in per cent, when congestion was met for the first time; 0: it was not, or the algorithm knows
/// no such moment.
std::uint64_t kept_at_first_congestion(const told& log) {
    std::uint64_t window = 0;
    for (const std::string& each : log.records) {
        if (each.find("recovery:metrics_updated") == each.npos) continue;
        if (const std::uint64_t threshold = number_of(each, "ssthresh")) return threshold * 100 / window;
        window = number_of(each, "congestion_window");
    }
    return 0;
}

class quic_conduct : public ::testing::Test {
protected:
    void establish(congestion_control algorithm) {
        world_.client_conduct = world_.server_conduct = {algorithm, logs_};
        world_.on_server_made = [this](std::unique_ptr<machine>& made) { server_.connection = made.get(); };
        world_.begin_client(client_);
        world_.begin_server(server_);
        client_.connection = world_.client.get();
        ASSERT_TRUE(world_.run_until([&] { return client_.established && server_.established; }));
    }
    /// The same both ways on one stream.
    void exchange(const std::string& text) {
        const auto id = world_.client->open();
        ASSERT_TRUE(id);
        server_.reply = text;
        client_.say(*id, text, true);
        ASSERT_TRUE(world_.run_until([&] { return client_.streams[*id].ended && server_.streams[*id].ended; }, 3600s));
        EXPECT_TRUE(client_.streams[*id].received == text);
        EXPECT_TRUE(server_.streams[*id].received == text);
    }
    void end() {
        world_.client.reset();
        world_.server.reset();
    }
    const told& log_of(vantage_point whose) {
        const auto found = std::ranges::find(logs_->all, whose, [](const auto& each) { return each->whose; });
        EXPECT_NE(found, logs_->all.end());
        return **found;
    }

    std::shared_ptr<remembered_logs> logs_ = std::make_shared<remembered_logs>();
    recording_user client_, server_;
    quic_world world_;
};

TEST_F(quic_conduct, every_algorithm_carries_twenty_megabytes_both_ways_through_loss) {
    std::string large;
    large.resize(20'000'000);
    for (std::size_t at = 0; at < large.size(); ++at) large[at] = static_cast<char>('a' + at % 23);
    logs_ = nullptr;
    for (const auto algorithm : {congestion_control::cubic, congestion_control::bbr, congestion_control::reno}) {
        SCOPED_TRACE(static_cast<int>(algorithm));
        world_.renew();
        client_ = {};
        server_ = {};
        std::minstd_rand chance(7);
        world_.loses = [&chance](std::string_view, bool) { return chance() % 100 == 0; };
        establish(algorithm);
        exchange(large);
    }
}

/// RFC 9438 section 4.6, RFC 9002 section 7.3.2: what is left of the window is 70 % and 50 %; BBR has no such threshold.
TEST_F(quic_conduct, the_algorithm_that_was_asked_for_is_at_work_in_both_roles) {
    for (const auto& [algorithm, least, most] :
         {std::tuple{congestion_control::cubic, 60U, 80U}, std::tuple{congestion_control::bbr, 0U, 0U},
          std::tuple{congestion_control::reno, 40U, 59U}}) {
        SCOPED_TRACE(static_cast<int>(algorithm));
        world_.renew();
        client_ = {};
        server_ = {};
        logs_->all.clear();
        int carried = 0;
        world_.loses = [&carried](std::string_view datagram, bool) {
            return datagram.size() > 1000 && ++carried % 100 == 0;
        };
        establish(algorithm);
        exchange(std::string(1'000'000, 'x'));
        end();
        for (const auto whose : {vantage_point::client, vantage_point::server}) {
            const std::uint64_t kept = kept_at_first_congestion(log_of(whose));
            EXPECT_GE(kept, least);
            EXPECT_LE(kept, most);
        }
    }
}

TEST_F(quic_conduct, a_log_consists_of_whole_records_and_names_its_connection) {
    establish(congestion_control::cubic);
    exchange("a secret that nobody shall read");
    end();
    ASSERT_EQ(logs_->all.size(), 2U);
    EXPECT_EQ(logs_->all[0]->id, logs_->all[1]->id) << "the name that both know the connection by";
    for (const auto whose : {vantage_point::client, vantage_point::server}) {
        const told& log = log_of(whose);
        ASSERT_GT(log.records.size(), 10U);
        const std::string& first = log.records.front();
        EXPECT_NE(first.find(R"("qlog_format":"JSON-SEQ")"), first.npos) << first;
        EXPECT_NE(first.find(R"("group_id":")" + in_hexadecimal(log.id) + '"'), first.npos) << first;
        EXPECT_NE(first.find(whose == vantage_point::client ? R"("type":"client")" : R"("type":"server")"), first.npos);
        for (const std::string& each : log.records) {
            EXPECT_TRUE(each.starts_with("\x1e{") && each.ends_with("}\n")) << each;
            EXPECT_EQ(each.find("a secret"), each.npos);
        }
    }
}

/// Packets of nothing but padding, probes, packets that come out of order: whatever a rough beginning makes of it.
TEST_F(quic_conduct, a_log_consists_of_whole_records_however_rough_the_way) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        world_.renew();
        client_ = {};
        server_ = {};
        std::minstd_rand chance(seed);
        world_.loses = [&chance](std::string_view, bool) { return chance() % 4 == 0; };
        world_.straggles = [&chance] { return std::chrono::milliseconds(chance() % 3 == 0 ? chance() % 30 : 0); };
        establish(congestion_control::cubic);
        exchange(std::string(5'000, 'x'));
        end();
    }
    for (const auto& log : logs_->all) {
        for (const std::string& each : log->records) {
            ASSERT_TRUE(each.starts_with("\x1e{") && each.ends_with("}\n")) << each;
            ASSERT_EQ(each.find('\n'), each.size() - 1) << each;
        }
    }
}

TEST_F(quic_conduct, a_connection_that_nobody_logs_goes_on_as_ever) {
    logs_->refuses = true;
    establish(congestion_control::bbr);
    exchange("question and answer");
    EXPECT_TRUE(logs_->all.empty());
}

}  // namespace
}  // namespace pabal::quic
