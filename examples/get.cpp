// One request, as simply as it can be asked:  example_get http://127.0.0.1:8000/price
#include <iostream>

#include <pabal/pabal.hpp>

int main(int count, char** arguments) {
    if (count != 2) {
        std::cerr << "usage: example_get URL\n";
        return 2;
    }
    pabal::session session;
    const auto response = session.get(arguments[1]);
    if (!response) {
        std::cerr << response.error().message << '\n';
        return 1;
    }
    std::cout << response->status << ' ' << response->body << '\n';
    return response->status < 400 ? 0 : 1;
}
