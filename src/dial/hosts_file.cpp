#include "dial/hosts_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include <sys/stat.h>

#include "base/words.hpp"

namespace pabal::dial {

namespace {

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return lower;
}

}  // namespace

const std::vector<address>* hosts_file::find(const std::string& host) {
    refresh();
    const auto found = names_.find(host);
    return found == names_.end() ? nullptr : &found->second;
}

void hosts_file::refresh() {
    struct stat facts{};
    std::string state = "none";
    if (::stat(path_.c_str(), &facts) == 0) {
        state = std::to_string(facts.st_dev) + ' ' + std::to_string(facts.st_ino) + ' ' +
                std::to_string(facts.st_size) + ' ' + std::to_string(facts.st_mtim.tv_sec) + ' ' +
                std::to_string(facts.st_mtim.tv_nsec);
    }
    if (state == state_) return;
    state_ = std::move(state);
    names_.clear();
    std::ifstream file{path_, std::ios::binary};
    if (!file) return;
    std::string text(static_cast<std::size_t>(std::clamp<long long>(facts.st_size, 0, max_size)), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    parse(text);
}

void hosts_file::parse(std::string_view text) {
    while (!text.empty()) parse_line(base::next_line(text));
}

void hosts_file::parse_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::optional<address> parsed = address::parse(base::next_word(line));
    if (!parsed) return;
    for (std::string_view name = base::next_word(line); !name.empty(); name = base::next_word(line)) {
        auto& addresses = names_[lower_case(name)];
        if (std::ranges::find(addresses, *parsed) == addresses.end()) addresses.push_back(*parsed);
    }
}

}  // namespace pabal::dial
