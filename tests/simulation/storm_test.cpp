// The whole client engine and the server's connections in a storm of requests and faults, by seed.
//
//     PABAL_SIMULATION_SEED=42 test_simulation            plays that seed alone
//     PABAL_SIMULATION_RUNS=5000 test_simulation          plays so many instead of the usual number

#include <cstdlib>

#include "simulation/storm.hpp"

namespace pabal::simulation {
namespace {

constexpr std::uint64_t usual_runs = 200;
constexpr std::size_t requests_per_run = 300;

/// Every fourth seed has a network that is merely slow: there nothing may fail.
weather weather_of(std::uint64_t seed) { return seed % 4 == 0 ? weather::healthy : weather::rough; }

std::string play(std::uint64_t seed) {
    SCOPED_TRACE("PABAL_SIMULATION_SEED=" + std::to_string(seed));
    storm played(seed, weather_of(seed), requests_per_run);
    return played.run();
}

TEST(a_storm, ends_every_request_once_in_what_the_server_meant_or_in_a_named_error) {
    const std::uint64_t first = number_in_environment("PABAL_SIMULATION_SEED", 1);
    const bool one_alone = std::getenv("PABAL_SIMULATION_SEED") && !std::getenv("PABAL_SIMULATION_RUNS");
    const std::uint64_t runs = one_alone ? 1 : number_in_environment("PABAL_SIMULATION_RUNS", usual_runs);
    std::map<std::string, int> outcomes;
    for (std::uint64_t seed = first; seed < first + runs && !HasFailure(); ++seed) {
        const std::string lines = play(seed);
        for (std::size_t at = 0; at < lines.size();) {
            const std::size_t end = lines.find('\n', at);
            const std::string line = lines.substr(at, end - at);
            ++outcomes[std::isdigit(static_cast<unsigned char>(line[0])) ? "response" : line];
            at = end + 1;
        }
    }
    for (const auto& [outcome, count] : outcomes) RecordProperty(outcome, count);
    if (one_alone || HasFailure()) return;
    // A simulation in which nothing goes wrong, or nothing right, shows nothing.
    EXPECT_GT(outcomes["response"], 0);
    EXPECT_GT(outcomes["cancelled"], 0);
    EXPECT_GT(outcomes["timed_out in total"], 0);
    EXPECT_GT(outcomes["connection_reset in read"], 0);
}

TEST(a_storm, is_the_same_for_the_same_seed) {
    EXPECT_EQ(play(7), play(7));
    EXPECT_NE(play(7), play(11));
}

}  // namespace
}  // namespace pabal::simulation
