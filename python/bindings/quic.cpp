#include "quic.hpp"

#include "errors.hpp"
#include "options.hpp"

namespace pabal::python {

quic_options quic_options_of(nb::handle value) {
    quic_options made;
    if (value.is_none()) return made;
    const nb::object module = nb::module_::import_("pabal.quic");
    if (!nb::isinstance(value, module.attr("Quic"))) {
        PyErr_Format(PyExc_TypeError, "quic must be a pabal.Quic or None, not %s", Py_TYPE(value.ptr())->tp_name);
        throw_python();
    }
    made.congestion_control = static_cast<congestion_control>(
        nb::cast<int>(module.attr("CONGESTION_CONTROL").attr("index")(value.attr("congestion_control"))));
    const nb::object folder = value.attr("qlog");
    if (!folder.is_none() && !read_path(folder.ptr(), "qlog", "the path of a folder", made.qlog_folder)) throw_python();
    made.max_qlog_bytes = nb::cast<std::uint64_t>(value.attr("max_qlog_bytes"));
    return made;
}

}  // namespace pabal::python
