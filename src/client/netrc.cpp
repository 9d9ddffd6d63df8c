#include "client/netrc.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <sys/stat.h>

namespace pabal::client {

namespace {

/// Larger files are somebody's mistake.
constexpr long long largest_file = 1024 * 1024;

class words {
public:
    explicit words(std::string_view text) noexcept : left_(text) {}

    /// The next word, unquoted; nullopt at the end.
    std::optional<std::string> next() {
        skip_space();
        while (!left_.empty() && left_.front() == '#') {
            left_.remove_prefix(std::min(left_.find('\n'), left_.size()));
            skip_space();
        }
        return next_value();
    }
    /// As `next`, for a value: '#' is a letter there.
    std::optional<std::string> next_value() {
        skip_space();
        if (left_.empty()) return std::nullopt;
        std::string out;
        const bool quoted = left_.front() == '"';
        if (quoted) left_.remove_prefix(1);
        while (!left_.empty()) {
            char c = left_.front();
            if (quoted ? c == '"' : is_space(c)) break;
            left_.remove_prefix(1);
            if (c == '\\' && !left_.empty()) {
                c = left_.front();
                left_.remove_prefix(1);
            }
            out.push_back(c);
        }
        if (quoted && !left_.empty()) left_.remove_prefix(1);
        return out;
    }
    /// A macro ends with an empty line.
    void skip_macro() noexcept {
        const std::size_t end = std::min(left_.find("\n\n"), left_.find("\n\r\n"));
        left_.remove_prefix(std::min(end, left_.size()));
    }

private:
    static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    void skip_space() noexcept {
        while (!left_.empty() && is_space(left_.front())) left_.remove_prefix(1);
    }
    std::string_view left_;
};

std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return text;
}

}  // namespace

netrc netrc::parse(std::string_view text) {
    netrc out;
    words from(text);
    netrc_entry* entry = nullptr;
    while (auto word = from.next()) {
        if (*word == "macdef") {
            from.next_value();
            from.skip_macro();
        } else if (*word == "machine") {
            auto name = from.next_value();
            if (!name) break;
            out.entries_.push_back({lower(std::move(*name)), {}, {}});
            entry = &out.entries_.back();
        } else if (*word == "login" || *word == "user" || *word == "password" || *word == "account") {
            auto value = from.next_value();
            if (!value) break;
            if (entry && *word == "password") entry->password = std::move(*value);
            else if (entry && *word != "account") entry->login = std::move(*value);
        } else {
            entry = nullptr;  // "default" is nobody's, and an unknown word ends what it stands in
        }
    }
    return out;
}

const netrc_entry* netrc::find(const url& place) const noexcept {
    if (!place.unix_path().empty()) return nullptr;
    for (const netrc_entry& each : entries_) {
        if (each.machine == place.host() && !each.login.empty()) return &each;
    }
    return nullptr;
}

std::shared_ptr<const netrc> netrc_of_environment() {
    std::string path;
    if (const char* named = std::getenv("NETRC"); named && *named) path = named;
    else if (const char* home = std::getenv("HOME"); home && *home) path = std::string(home) + "/.netrc";
    struct stat status{};
    if (path.empty() || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > largest_file)
        return nullptr;
    std::ifstream file(path, std::ios::binary);
    if (!file) return nullptr;
    auto read = netrc::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    return read.entries().empty() ? nullptr : std::make_shared<const netrc>(std::move(read));
}

}  // namespace pabal::client
