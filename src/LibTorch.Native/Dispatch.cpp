// One door to every operator that libtorch knows: a plain-C argument list becomes an IValue stack, the dispatcher runs the
// operator (through autocast and autograd, like any call), and the stack becomes plain-C results.
#include "Guard.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <torch/version.h>
#include <unordered_map>
#include <vector>

namespace cnnspec {
namespace {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
template <typename T> using Optional = std::optional<T>;
#else
template <typename T> using Optional = c10::optional<T>;
#endif

// What a parameter takes, worked out once an operator so that a call compares one byte an argument.
enum class Kind : uint8_t {
    Tensor,
    Int,
    Double,
    Number,
    Bool,
    String,
    Device,
    Generator,
    IntList,
    DoubleList,
    NumberList,
    BoolList,
    TensorList,
    OptionalTensorList,
    Other
};

struct Parameter {
    Kind kind;
    bool optional;
    bool has_default;
    c10::IValue default_value;
};

struct Operator {
    c10::OperatorHandle handle;
    std::vector<Parameter> parameters;
    size_t returns;
};

Kind kind_of(const c10::Type& type) {
    switch (type.kind()) {
    case c10::TypeKind::TensorType:
        return Kind::Tensor;
    case c10::TypeKind::IntType:
        return Kind::Int;
    case c10::TypeKind::FloatType:
        return Kind::Double;
    case c10::TypeKind::NumberType:
        return Kind::Number;
    case c10::TypeKind::BoolType:
        return Kind::Bool;
    case c10::TypeKind::StringType:
        return Kind::String;
    case c10::TypeKind::DeviceObjType:
        return Kind::Device;
    case c10::TypeKind::GeneratorType:
        return Kind::Generator;
    case c10::TypeKind::ListType:
        switch (const auto& element = *type.containedType(0); element.kind()) {
        case c10::TypeKind::TensorType:
            return Kind::TensorList;
        case c10::TypeKind::OptionalType:
            return Kind::OptionalTensorList;
        case c10::TypeKind::IntType:
            return Kind::IntList;
        case c10::TypeKind::FloatType:
            return Kind::DoubleList;
        case c10::TypeKind::NumberType:
            return Kind::NumberList;
        case c10::TypeKind::BoolType:
            return Kind::BoolList;
        default:
            return Kind::Other;
        }
    default:
        return Kind::Other;
    }
}

Operator* make_operator(const c10::OperatorHandle& handle) {
    auto op = std::make_unique<Operator>(Operator{handle, {}, handle.schema().returns().size()});
    for (const auto& argument : handle.schema().arguments()) {
        const c10::Type* type = argument.type().get();
        bool optional = type->kind() == c10::TypeKind::OptionalType;
        if (optional)
            type = type->containedType(0).get();
        const auto& default_value = argument.default_value();
        op->parameters.push_back({kind_of(*type), optional, default_value.has_value(),
                                  default_value.has_value() ? *default_value : c10::IValue()});
    }
    return op.release();
}

template <typename Element> c10::List<Element> list_of(const CnnspecValue& value) {
    c10::List<Element> list;
    list.reserve(value.length);
    for (int64_t i = 0; i < value.length; ++i)
        list.push_back(static_cast<const Element*>(value.pointer)[i]);
    return list;
}

template <typename Element> c10::List<Element> tensors_of(const CnnspecValue& value) {
    c10::List<Element> list;
    list.reserve(value.length);
    for (int64_t i = 0; i < value.length; ++i) {
        auto tensor = to_tensor(static_cast<CnnspecTensor*>(value.pointer)[i]);
        list.push_back(tensor.defined() ? Element(std::move(tensor)) : Element());
    }
    return list;
}

c10::List<at::Scalar> numbers_of(const CnnspecValue& value) {
    c10::List<at::Scalar> list;
    list.reserve(value.length);
    for (int64_t i = 0; i < value.length; ++i)
        list.push_back(value.tag == CNNSPEC_DOUBLE_LIST ? at::Scalar(static_cast<double*>(value.pointer)[i])
                                                        : at::Scalar(static_cast<int64_t*>(value.pointer)[i]));
    return list;
}

c10::Device device_of(const CnnspecValue& value) {
    return {static_cast<c10::DeviceType>(value.integer >> 32), static_cast<c10::DeviceIndex>(value.integer)};
}

bool accepts_single_number(const CnnspecValue& value) {
    return value.tag == CNNSPEC_INT || value.tag == CNNSPEC_DOUBLE || value.tag == CNNSPEC_BOOL;
}

// Pushes `value` as what the parameter takes; false when it is none of that.
bool push(c10::Stack& stack, const Parameter& parameter, const CnnspecValue& value) {
    if (value.tag == CNNSPEC_NONE) {
        // An undefined tensor is how ATen itself spells an absent Tensor.
        if (parameter.kind == Kind::Tensor)
            stack.emplace_back(parameter.optional ? c10::IValue() : c10::IValue(at::Tensor()));
        else
            stack.emplace_back();
        return parameter.optional || parameter.kind == Kind::Tensor;
    }
    switch (parameter.kind) {
    case Kind::Tensor:
        if (value.tag == CNNSPEC_TENSOR)
            return stack.emplace_back(to_tensor(value.pointer)), true;
        return false;
    case Kind::Int:
        if (value.tag == CNNSPEC_INT || value.tag == CNNSPEC_BOOL)
            return stack.emplace_back(value.integer), true;
        return false;
    case Kind::Double:
        if (value.tag == CNNSPEC_DOUBLE)
            return stack.emplace_back(value.number), true;
        if (value.tag == CNNSPEC_INT)
            return stack.emplace_back(static_cast<double>(value.integer)), true;
        return false;
    case Kind::Number:
        if (!accepts_single_number(value))
            return false;
        if (value.tag == CNNSPEC_DOUBLE)
            stack.emplace_back(value.number);
        else if (value.tag == CNNSPEC_BOOL)
            stack.emplace_back(value.integer != 0);
        else
            stack.emplace_back(value.integer);
        return true;
    case Kind::Bool:
        if (value.tag == CNNSPEC_BOOL)
            return stack.emplace_back(value.integer != 0), true;
        return false;
    case Kind::String:
        if (value.tag == CNNSPEC_STRING)
            return stack.emplace_back(std::string(static_cast<const char*>(value.pointer), value.length)), true;
        return false;
    case Kind::Device:
        if (value.tag == CNNSPEC_DEVICE)
            return stack.emplace_back(device_of(value)), true;
        return false;
    case Kind::Generator:
        if (value.tag == CNNSPEC_GENERATOR)
            return stack.emplace_back(*static_cast<at::Generator*>(value.pointer)), true;
        return false;
    case Kind::IntList:
        if (value.tag == CNNSPEC_INT_LIST)
            return stack.emplace_back(list_of<int64_t>(value)), true;
        if (value.tag == CNNSPEC_INT) // `int[2] stride=1` in a schema: one number stands for all
            return stack.emplace_back(c10::List<int64_t>({value.integer})), true;
        return false;
    case Kind::DoubleList:
        if (value.tag == CNNSPEC_DOUBLE_LIST)
            return stack.emplace_back(list_of<double>(value)), true;
        return false;
    case Kind::NumberList:
        if (value.tag == CNNSPEC_DOUBLE_LIST || value.tag == CNNSPEC_INT_LIST)
            return stack.emplace_back(numbers_of(value)), true;
        return false;
    case Kind::BoolList:
        if (value.tag == CNNSPEC_BOOL_LIST)
            return stack.emplace_back(list_of<bool>(value)), true;
        return false;
    case Kind::TensorList:
        if (value.tag == CNNSPEC_TENSOR_LIST)
            return stack.emplace_back(tensors_of<at::Tensor>(value)), true;
        return false;
    case Kind::OptionalTensorList:
        if (value.tag == CNNSPEC_TENSOR_LIST)
            return stack.emplace_back(tensors_of<Optional<at::Tensor>>(value)), true;
        return false;
    case Kind::Other:
        return false;
    }
    return false;
}

template <typename Element, typename List, typename Convert>
CnnspecValue list_result(CnnspecTag tag, const List& list, Convert convert) {
    CnnspecValue value{tag, {}, static_cast<int64_t>(list.size())};
    auto* elements = static_cast<Element*>(std::malloc(sizeof(Element) * std::max<size_t>(list.size(), 1)));
    if (elements == nullptr)
        throw std::bad_alloc();
    for (size_t i = 0; i < list.size(); ++i)
        elements[i] = convert(list.get(i));
    value.pointer = elements;
    return value;
}

CnnspecValue result_of(c10::IValue&& value) {
    CnnspecValue result{CNNSPEC_NONE, {0}, 0};
    if (value.isTensor()) {
        result.tag = CNNSPEC_TENSOR;
        result.pointer = to_handle(std::move(value).toTensor());
    } else if (value.isInt()) {
        result.tag = CNNSPEC_INT;
        result.integer = value.toInt();
    } else if (value.isDouble()) {
        result.tag = CNNSPEC_DOUBLE;
        result.number = value.toDouble();
    } else if (value.isBool()) {
        result.tag = CNNSPEC_BOOL;
        result.integer = value.toBool();
    } else if (value.isTensorList()) {
        return list_result<CnnspecTensor>(CNNSPEC_TENSOR_LIST, value.toTensorList(),
                                          [](const at::Tensor& tensor) { return to_handle(tensor); });
    } else if (value.isIntList()) {
        return list_result<int64_t>(CNNSPEC_INT_LIST, value.toIntList(), [](int64_t element) { return element; });
    } else {
        TORCH_CHECK(value.isNone(), "this operator returns a ", value.tagKind(), ", which the engine does not carry");
    }
    return result;
}

void free_result(CnnspecValue& result) noexcept {
    if (result.tag == CNNSPEC_TENSOR) {
        cnnspec_tensor_free(result.pointer);
    } else if (result.tag == CNNSPEC_TENSOR_LIST) {
        for (int64_t i = 0; i < result.length; ++i)
            cnnspec_tensor_free(static_cast<CnnspecTensor*>(result.pointer)[i]);
        std::free(result.pointer);
    } else if (result.tag == CNNSPEC_INT_LIST) {
        std::free(result.pointer);
    }
}

} // namespace
} // namespace cnnspec

using namespace cnnspec;

int cnnspec_find_operator(const char* name, const char* overload, CnnspecOperator* op) {
    return guarded([&] {
        // Operators live as long as the process, so the table owns them and hands out addresses.
        static std::mutex mutex;
        static std::unordered_map<std::string, std::unique_ptr<Operator>> known;
        std::string key = *overload == '\0' ? std::string(name) : std::string(name) + "." + overload;
        std::lock_guard<std::mutex> lock(mutex);
        auto& entry = known[key];
        if (!entry) {
            auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
            if (!handle.has_value()) {
                known.erase(key);
                TORCH_CHECK(false, "libtorch ", TORCH_VERSION, " has no operator ", key);
            }
            entry.reset(make_operator(*handle));
        }
        *op = entry.get();
    });
}

int cnnspec_operator_schema(CnnspecOperator op, char** text) {
    return guarded([&] { *text = copy_text(c10::toString(static_cast<Operator*>(op)->handle.schema())); });
}

int cnnspec_invoke(CnnspecOperator operator_handle, const CnnspecValue* args, int64_t nargs, CnnspecValue* results,
                   int64_t capacity, int64_t* nresults) {
    return guarded([&] {
        auto& op = *static_cast<Operator*>(operator_handle);
        const auto& parameters = op.parameters;
        TORCH_CHECK(nargs <= static_cast<int64_t>(parameters.size()), op.handle.schema(), " takes ", parameters.size(),
                    " arguments, not ", nargs);
        c10::Stack stack;
        stack.reserve(std::max(parameters.size(), op.returns));
        for (size_t i = 0; i < parameters.size(); ++i) {
            if (static_cast<int64_t>(i) < nargs) {
                TORCH_CHECK(push(stack, parameters[i], args[i]), "argument ", i + 1, " (",
                            op.handle.schema().arguments()[i].name(), ") does not fit ", op.handle.schema());
            } else {
                TORCH_CHECK(parameters[i].has_default, "argument ", i + 1, " (", op.handle.schema().arguments()[i].name(),
                            ") is missing in a call of ", op.handle.schema());
                stack.push_back(parameters[i].default_value);
            }
        }
        op.handle.callBoxed(stack);
        // Results beyond the caller's capacity are not wanted: in-place operators return what the caller already holds.
        int64_t wanted = std::min(capacity, static_cast<int64_t>(stack.size()));
        int64_t done = 0;
        try {
            for (; done < wanted; ++done)
                results[done] = result_of(std::move(stack[done]));
        } catch (...) {
            for (int64_t i = 0; i < done; ++i)
                free_result(results[i]);
            throw;
        }
        *nresults = wanted;
    });
}
