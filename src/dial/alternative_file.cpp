#include "dial/alternative_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "protocol/http/field_reader.hpp"
#include "protocol/http/host.hpp"
#include "reactor/descriptor.hpp"

namespace pabal::dial {

namespace {

constexpr std::string_view heading =
    "# Where else origins can be had (Alt-Svc, RFC 7838), in the format of curl's cache.\n"
    "# Written by pabal; what you change may be lost.\n";
constexpr std::size_t longest_host = 255;

bool has_name(std::string_view protocol) noexcept { return protocol == "h1" || protocol == "h2" || protocol == "h3"; }

std::string in_brackets(const std::string& host) { return host.find(':') == host.npos ? host : '[' + host + ']'; }

/// What is left of a line.
class words {
public:
    explicit words(std::string_view line) noexcept : left_(line) {}

    std::string_view next() noexcept {
        skip_space();
        const std::string_view word = left_.substr(0, left_.find_first_of(" \t"));
        left_.remove_prefix(word.size());
        return word;
    }
    std::optional<std::string_view> quoted() noexcept {
        skip_space();
        if (!left_.starts_with('"')) return std::nullopt;
        const std::size_t end = left_.find('"', 1);
        if (end == left_.npos) return std::nullopt;
        const std::string_view inside = left_.substr(1, end - 1);
        left_.remove_prefix(end + 1);
        return inside;
    }

private:
    void skip_space() noexcept { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }

    std::string_view left_;
};

template <class Number>
std::optional<Number> number(std::string_view digits) noexcept {
    Number value{};
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || digits.front() == '-' || failure != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    return value;
}

std::optional<std::string> host_in(std::string_view word) {
    if (word.empty() || word.size() > longest_host) return std::nullopt;
    if (word.starts_with('[') && word.ends_with(']')) return http::normalise_ipv6(word.substr(1, word.size() - 2));
    auto host = http::classify_host(word);
    const bool is_one = host.form == http::host_form::name || host.form == http::host_form::name_mixed_case ||
                        host.form == http::host_form::ipv4;
    return is_one ? std::optional(http::lower_case(word)) : std::nullopt;
}

/// "20261129 08:30:00", in UTC.
std::optional<std::chrono::sys_seconds> time_in(std::string_view text) {
    if (text.size() != 17 || text[8] != ' ' || text[11] != ':' || text[14] != ':') return std::nullopt;
    const auto year = number<int>(text.substr(0, 4));
    const auto month = number<unsigned>(text.substr(4, 2)), day = number<unsigned>(text.substr(6, 2));
    const auto hour = number<int>(text.substr(9, 2)), minute = number<int>(text.substr(12, 2)),
               second = number<int>(text.substr(15, 2));
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    // 2200: far beyond what anybody says, and what the clock's nanoseconds can count.
    if (!date.ok() || *year < 1970 || *year > 2200 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

std::string text_of(std::chrono::system_clock::time_point when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
    std::array<char, 32> text{};
    const int size = std::snprintf(text.data(), text.size(), "%04d%02u%02u %02d:%02d:%02d", int(date.year()),
                                   unsigned(date.month()), unsigned(date.day()), int(time.hours().count()),
                                   int(time.minutes().count()), int(time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<kept_alternative> read_line(std::string_view line) {
    words from(line);
    if (!has_name(from.next())) return std::nullopt;
    kept_alternative out;
    auto host = host_in(from.next());
    const auto port = number<std::uint16_t>(from.next());
    out.protocol = from.next();
    auto other_host = host_in(from.next());
    const auto other_port = number<std::uint16_t>(from.next());
    const auto written = from.quoted();
    const auto expires = written ? time_in(*written) : std::nullopt;
    const std::string_view persists = from.next();
    if (!host || port.value_or(0) == 0 || !has_name(out.protocol) || !other_host || other_port.value_or(0) == 0 ||
        !expires || (persists != "0" && persists != "1") || !number<unsigned>(from.next()))
        return std::nullopt;
    out.host = std::move(*host);
    out.port = *port;
    out.place = {std::move(*other_host), *other_port};
    out.expires = *expires;
    out.persists = persists == "1";
    return out;
}

error failed(int number, std::string_view what, const std::string& path) {
    error made = error_from_errno(number, phase::prepare, std::string(what) + " " + path);
    made.whose = culprit::caller;
    return made;
}

/// Up to the bound, and no line that it cuts in two. Nullopt: errno says why.
std::optional<std::string> content_of(const std::string& path) {
    const reactor::descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat facts{};
    if (!file.is_open() || ::fstat(file.get(), &facts) != 0) return std::nullopt;
    if (!S_ISREG(facts.st_mode)) return errno = EINVAL, std::nullopt;
    std::string content(largest_alternative_file, '\0');
    std::size_t size = 0;
    for (ssize_t got = 0; size < content.size(); size += static_cast<std::size_t>(got)) {
        got = ::read(file.get(), content.data() + size, content.size() - size);
        if (got < 0) return std::nullopt;
        if (got == 0) break;
    }
    if (size == content.size()) size = content.rfind('\n') == content.npos ? 0 : content.rfind('\n') + 1;
    content.resize(size);
    return content;
}

/// A file beside the one that it is to replace; gone with the object unless it has done so.
class replacement {
public:
    explicit replacement(std::string of)
        : path_(std::move(of)),
          own_(path_ + ".XXXXXX"),
          file_(::mkostemp(own_.data(), O_CLOEXEC)),
          made_(file_.is_open() ? 0 : errno) {}
    ~replacement() {
        if (file_.is_open()) ::unlink(own_.c_str());
    }
    replacement(const replacement&) = delete;
    replacement& operator=(const replacement&) = delete;

    /// What the system says against it; 0: done.
    int take_place_with(std::string_view content) {
        if (!file_.is_open()) return made_;
        while (!content.empty()) {
            const ssize_t written = ::write(file_.get(), content.data(), content.size());
            if (written < 0) return errno;
            content.remove_prefix(static_cast<std::size_t>(written));
        }
        if (::rename(own_.c_str(), path_.c_str()) != 0) return errno;
        file_.reset();
        return 0;
    }

private:
    std::string path_;
    std::string own_;
    reactor::descriptor file_;
    int made_;  ///< errno of that
};

/// Where the file itself is, if `path` is a link to it.
std::string behind_links(const std::string& path) {
    std::error_code failure;
    const auto found = std::filesystem::canonical(path, failure);
    return failure ? path : found.string();
}

}  // namespace

std::string write_alternatives(const std::vector<kept_alternative>& kept) {
    std::string out(heading);
    for (const kept_alternative& each : kept) {
        if (!has_name(each.protocol)) continue;
        out += "h2 " + in_brackets(each.host) + ' ' + std::to_string(each.port) + ' ' + each.protocol + ' ' +
               in_brackets(each.place.host) + ' ' + std::to_string(each.place.port) + " \"" + text_of(each.expires) +
               (each.persists ? "\" 1 0\n" : "\" 0 0\n");
    }
    return out;
}

std::vector<kept_alternative> read_alternatives(std::string_view text) {
    std::vector<kept_alternative> out;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (auto read = read_line(line)) out.push_back(std::move(*read));
    }
    return out;
}

result<void> check_alternative_file(const std::string& path) {
    const std::string file = behind_links(path);
    if (::access(file.c_str(), R_OK | W_OK) == 0) {
        if (content_of(file)) return {};
        return failed(errno, "read the file of alternative services", path);
    }
    if (errno != ENOENT) return failed(errno, "use the file of alternative services", path);
    const auto folder = std::filesystem::path(file).parent_path();
    if (!file.empty() && ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return {};
    return failed(errno, "make a file of alternative services in the folder of", path);
}

void load_alternatives(const std::string& path, alternative_cache& into, alternative_cache::time_point now) {
    const auto content = content_of(path);
    if (!content) return;
    for (const kept_alternative& each : read_alternatives(*content)) into.take_in(each, now);
}

result<void> save_alternatives(const std::string& path, alternative_cache& from, alternative_cache::time_point now) {
    if (!from.has_news()) return {};
    alternative_cache whole;
    load_alternatives(path, whole, now);
    whole.take_news_of(from);
    if (const int why = replacement(behind_links(path)).take_place_with(write_alternatives(whole.kept(now))); why != 0)
        return failed(why, "write the file of alternative services", path);
    from.forget_news();
    return {};
}

}  // namespace pabal::dial
