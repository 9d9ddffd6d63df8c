#pragma once
/// \file
/// /etc/hosts: names that need no query. Read when it is first needed and again when it changes.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dial/address.hpp"

namespace pabal::dial {

class hosts_file {
public:
    /// Lists of blocked hosts reach a few megabytes; beyond this the rest of the file is not read.
    static constexpr std::size_t max_size = 16 * 1024 * 1024;

    explicit hosts_file(std::string path = "/etc/hosts") : path_(std::move(path)) {}

    /// The addresses of `host` (lower case) in the file's order, or null if the file does not name it.
    const std::vector<address>* find(const std::string& host);

private:
    void refresh();
    void parse(std::string_view text);
    void parse_line(std::string_view line);

    std::string path_;
    std::string state_;  ///< identity, size and time of what was read
    std::unordered_map<std::string, std::vector<address>> names_;
};

}  // namespace pabal::dial
