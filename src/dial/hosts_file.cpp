#include "dial/hosts_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include <sys/stat.h>

namespace pabal::dial {

namespace {

constexpr std::string_view blanks = " \t\r";

/// Cuts the next word off the front of `line`; empty when there is none.
std::string_view next_word(std::string_view& line) {
    const std::size_t begin = std::min(line.find_first_not_of(blanks), line.size());
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

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
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        parse_line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

void hosts_file::parse_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::optional<address> parsed = address::parse(next_word(line));
    if (!parsed) return;
    for (std::string_view name = next_word(line); !name.empty(); name = next_word(line)) {
        auto& addresses = names_[lower_case(name)];
        if (std::ranges::find(addresses, *parsed) == addresses.end()) addresses.push_back(*parsed);
    }
}

}  // namespace pabal::dial
