#pragma once
/// \file
/// What is wrong with a peer's message: made by the parsers, turned into a `pabal::error` by the machine.

#include <string>
#include <string_view>

#include <pabal/error.hpp>

namespace pabal::http1 {

/// `message` says what and where ("bare LF at byte 17 of the head") and quotes at most a short escaped excerpt of the
/// bytes up to the offending one: never a field's value, which may be a secret, and never bytes that follow the message.
struct fault {
    error_code code = error_code::malformed_message;
    int status = 400;  ///< with which a server answers it
    std::string message;
};

/// `bytes` in double quotes, bytes outside visible ASCII as \xNN, cut at 24 bytes.
std::string excerpt(std::string_view bytes);

/// One byte for a person: 'x' when it is visible, else its code, 0x0b.
std::string name_of_byte(unsigned char byte);

}  // namespace pabal::http1
