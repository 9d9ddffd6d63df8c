#include "json.hpp"

#include <array>
#include <cstring>

#include <simdjson.h>

namespace pabal::python {

namespace {

static_assert(base::byte_buffer::padding >= simdjson::SIMDJSON_PADDING);

/// Object keys repeat from response to response: short ones are kept, so that a known key costs a comparison.
class key_cache {
public:
    PyObject* key(std::string_view name) {
        if (name.size() > longest)
            return PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), nullptr);
        slot& place = slots_[hash(name) % slots_.size()];
        if (place.key && place.size == name.size() && std::memcmp(place.text.data(), name.data(), name.size()) == 0)
            return Py_NewRef(place.key);
        PyObject* made = PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), nullptr);
        if (!made) return nullptr;
        Py_XSETREF(place.key, Py_NewRef(made));
        place.size = name.size();
        std::memcpy(place.text.data(), name.data(), name.size());
        return made;
    }

private:
    static constexpr std::size_t longest = 48;
    struct slot {
        PyObject* key = nullptr;
        std::size_t size = 0;
        std::array<char, longest> text{};
    };
    static std::size_t hash(std::string_view name) noexcept {
        std::size_t value = name.size() * 0x9E3779B97F4A7C15U;
        for (const char byte : name) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
        return value ^ value >> 29U;
    }
    std::array<slot, 512> slots_;
};

key_cache& keys() {
    static auto* cache = new key_cache;  // lives as long as the interpreter's strings must
    return *cache;
}

PyObject* convert(simdjson::dom::element element);

PyObject* convert_array(simdjson::dom::array array) {
    std::size_t size = array.size();
    if (size == 0xFFFFFF) {  // simdjson's counter saturates there
        size = 0;
        for ([[maybe_unused]] const auto item : array) ++size;
    }
    owned list(PyList_New(static_cast<Py_ssize_t>(size)));
    if (!list) return nullptr;
    Py_ssize_t index = 0;
    for (const simdjson::dom::element item : array) {
        PyObject* value = convert(item);
        if (!value) return nullptr;
        PyList_SET_ITEM(list.get(), index++, value);
    }
    return list.release();
}

PyObject* convert_object(simdjson::dom::object object) {
    owned dict(PyDict_New());
    if (!dict) return nullptr;
    for (const auto field : object) {
        const owned key(keys().key(field.key));
        if (!key) return nullptr;
        const owned value(convert(field.value));
        if (!value || PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) return nullptr;
    }
    return dict.release();
}

PyObject* convert(simdjson::dom::element element) {
    using simdjson::dom::element_type;
    switch (element.type()) {
    case element_type::STRING: {
        const std::string_view value = element.get_string().value_unsafe();
        return PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), nullptr);
    }
    case element_type::INT64: return PyLong_FromLongLong(element.get_int64().value_unsafe());
    case element_type::UINT64: return PyLong_FromUnsignedLongLong(element.get_uint64().value_unsafe());
    case element_type::DOUBLE: return PyFloat_FromDouble(element.get_double().value_unsafe());
    case element_type::BOOL: return PyBool_FromLong(element.get_bool().value_unsafe() ? 1 : 0);
    case element_type::ARRAY: return convert_array(element.get_array().value_unsafe());
    case element_type::OBJECT: return convert_object(element.get_object().value_unsafe());
    default: return Py_NewRef(Py_None);
    }
}

/// A document nested deeper than Python's stack is the peer's fault, not a fault of the program.
PyObject* refuse_depth(std::string_view document) {
    static lazy_import error("pabal._json", "JSONDecodeError");
    PyErr_Clear();
    const owned decoded(PyUnicode_DecodeUTF8(document.data(), static_cast<Py_ssize_t>(document.size()), "replace"));
    if (!error.get() || !decoded) return nullptr;
    const owned raised(PyObject_CallFunction(error.get(), "sOi", "Nested too deeply", decoded.get(), 0));
    if (raised) PyErr_SetObject(error.get(), raised.get());
    return nullptr;
}

/// simdjson knows neither NaN nor integers beyond 64 bits nor other encodings; json does, and words the errors.
PyObject* parse_with_python(std::string_view document) {
    static lazy_import loads("json", "loads");
    PyObject* parse = loads.get();
    if (!parse) return nullptr;
    const owned data(bytes(document));
    if (!data) return nullptr;
    PyObject* value = PyObject_CallOneArg(parse, data.get());  // finds out UTF-8, -16 and -32 by itself
    if (!value && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        const owned decoded(PyUnicode_DecodeUTF8(document.data(), static_cast<Py_ssize_t>(document.size()), "replace"));
        value = decoded ? PyObject_CallOneArg(parse, decoded.get()) : nullptr;
    }
    if (!value && PyErr_ExceptionMatches(PyExc_RecursionError)) return refuse_depth(document);
    if (!value) translate_json_error();
    return value;
}

}  // namespace

void translate_json_error() {
    static lazy_import original("json", "JSONDecodeError");
    static lazy_import translated("pabal._json", "JSONDecodeError");
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    const owned kept_type(type), kept_value(value), kept_trace(trace);
    if (!original.get() || !translated.get()) return;
    if (!PyErr_GivenExceptionMatches(type, original.get()))
        return PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), nullptr);
    const owned message(PyObject_GetAttrString(value, "msg"));
    const owned document(PyObject_GetAttrString(value, "doc"));
    const owned position(PyObject_GetAttrString(value, "pos"));
    if (!message || !document || !position) return;
    const owned made(
        PyObject_CallFunctionObjArgs(translated.get(), message.get(), document.get(), position.get(), nullptr));
    if (made) PyErr_SetObject(translated.get(), made.get());
}

PyObject* parse_plain_json(const base::byte_buffer& document) {
    // Only touched with the GIL held, and never across a call that could release it.
    static auto* parser = new simdjson::dom::parser;
    simdjson::dom::element root;
    if (document.empty() || parser->parse(document.data(), document.size(), false).get(root) != simdjson::SUCCESS)
        return nullptr;
    return convert(root);
}

PyObject* parse_json(const base::byte_buffer& document) {
    PyObject* value = parse_plain_json(document);
    return value || PyErr_Occurred() ? value : parse_with_python(document.view());
}

}  // namespace pabal::python
