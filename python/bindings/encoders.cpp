#include "encoders.hpp"

#include <string>

#include <nanobind/stl/string.h>

#include "body_source.hpp"
#include "errors.hpp"
#include "protocol/http/content_coding.hpp"
#include "protocol/http/content_encoder.hpp"

namespace pabal::python {

namespace {

content_coding coding_named(const std::string& name) {
    const auto found = http::find_content_coding(name);
    if (!found)
        throw_error({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "compress= must be \"gzip\", \"deflate\", \"br\" or \"zstd\", not \"" + name + "\""});
    return *found;
}

/// Of bytes that the caller holds; to be taken while Python may be called.
std::string_view view(const nb::bytes& piece) noexcept { return {piece.c_str(), piece.size()}; }

}  // namespace

void add_encoder_type(nb::module_& module) {
    nb::class_<http::content_encoder>(module, "ContentEncoder", "Compresses a body piece by piece.")
        .def("__init__", [](http::content_encoder* self,
                            const std::string& name) { new (self) http::content_encoder(coding_named(name)); })
        .def("encode",
             [](http::content_encoder& self, const nb::bytes& piece) {
                 const std::string_view given = view(piece);
                 std::string out;
                 {
                     const nb::gil_scoped_release released;
                     self.encode(given, out);
                 }
                 return nb::bytes(out.data(), out.size());
             })
        .def("finish", [](http::content_encoder& self) {
            std::string out;
            self.finish(out);
            return nb::bytes(out.data(), out.size());
        });
    module.def("coding_name", [](const std::string& name) { return std::string(name_of(coding_named(name))); });
    module.def("compressed", [](const std::string& name, const nb::bytes& whole) {
        const content_coding coding = coding_named(name);
        const std::string_view given = view(whole);
        std::string out;
        {
            const nb::gil_scoped_release released;
            out = http::content_encoder::encoded(coding, given);
        }
        return nb::bytes(out.data(), out.size());
    });
    module.def("check_trailers", [](nb::handle lines) {
        fields read;
        if (!read_trailers(lines.ptr(), read)) throw_python();
    });
}

}  // namespace pabal::python
