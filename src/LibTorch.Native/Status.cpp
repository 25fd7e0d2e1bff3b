// The last error of each thread, whole and in UTF-8, and the count of live handles.
#include "Guard.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace cnnspec {

namespace {
thread_local std::string last_error;
std::atomic<int64_t> live_tensors{0};
} // namespace

void set_error(std::string message) noexcept {
    last_error = std::move(message);
}

char* copy_text(const std::string& text) {
    auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr)
        throw std::bad_alloc();
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

void count_live(int64_t change) noexcept {
    live_tensors.fetch_add(change, std::memory_order_relaxed);
}

} // namespace cnnspec

char* cnnspec_take_error() {
    try {
        char* text = cnnspec::copy_text(cnnspec::last_error);
        cnnspec::last_error.clear();
        return text;
    } catch (...) {
        return nullptr;
    }
}

void cnnspec_free_memory(void* memory) {
    std::free(memory);
}

int64_t cnnspec_live_tensors() {
    return cnnspec::live_tensors.load(std::memory_order_relaxed);
}
