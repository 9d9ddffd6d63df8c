#include "dial/dial_support.hpp"
#include "dial/hosts_file.hpp"

using namespace pabal::dial;

namespace {

class hosts_files : public ::testing::Test {
protected:
    void TearDown() override { std::filesystem::remove(path_); }
    void write(std::string_view text) { std::ofstream{path_, std::ios::binary} << text; }
    std::string path_ =
        (std::filesystem::temp_directory_path() / ("pabal-hosts-file-" + std::to_string(::getpid()))).string();
};

std::vector<std::string> shown(const std::vector<address>* addresses) {
    std::vector<std::string> texts;
    if (addresses) {
        for (const address& each : *addresses) texts.push_back(each.to_string());
    }
    return texts;
}

TEST_F(hosts_files, a_line_gives_all_its_names_an_address) {
    write("# comment\n\n  192.0.2.1\tOne two.example # three\r\n2001:db8::1 one\n192.0.2.1 one\n192.0.2.2 one");
    hosts_file hosts{path_};
    EXPECT_EQ(shown(hosts.find("one")), (std::vector<std::string>{"192.0.2.1:0", "[2001:db8::1]:0", "192.0.2.2:0"}));
    EXPECT_EQ(shown(hosts.find("two.example")), std::vector<std::string>{"192.0.2.1:0"});
    EXPECT_FALSE(hosts.find("three"));
    EXPECT_FALSE(hosts.find(""));
}

TEST_F(hosts_files, lines_that_make_no_sense_are_passed_over) {
    write("127.1 a\nexample.com b\n192.0.2.1\n\x01\x02 c\n192.0.2.7 d\n");
    hosts_file hosts{path_};
    for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(hosts.find(name)) << name;
    EXPECT_TRUE(hosts.find("d"));
}

TEST_F(hosts_files, a_change_is_noticed_and_so_is_its_absence) {
    hosts_file hosts{path_};
    EXPECT_FALSE(hosts.find("a"));
    write("192.0.2.1 a\n");
    EXPECT_TRUE(hosts.find("a"));
    std::filesystem::remove(path_);
    EXPECT_FALSE(hosts.find("a"));
}

}  // namespace
