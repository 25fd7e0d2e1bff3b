// Vectors of floats as wide as the level of instructions that the file is compiled for, and elements read into them.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace cnnspec {
namespace CNNSPEC_LEVEL {

#if defined(__AVX512F__)
constexpr int64_t Lanes = 16;
#elif defined(__AVX2__)
constexpr int64_t Lanes = 8;
#else
constexpr int64_t Lanes = 4;
#endif

typedef float Vector __attribute__((vector_size(Lanes * 4)));
typedef int32_t Integers __attribute__((vector_size(Lanes * 4)));
typedef uint32_t Words __attribute__((vector_size(Lanes * 4)));
typedef uint16_t Halves __attribute__((vector_size(Lanes * 2)));
typedef uint8_t Bytes __attribute__((vector_size(Lanes)));

// The upper half of a float.
struct BFloat16 {
    uint16_t bits;
};

template <typename To, typename From> inline To reinterpret(From from) {
    static_assert(sizeof(To) == sizeof(From), "another size");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

inline Vector splat(float value) {
    return value - Vector{};
}

inline Vector load(const float* from) {
    Vector result;
    std::memcpy(&result, from, sizeof result);
    return result;
}

inline Vector load(const BFloat16* from) {
#if defined(__AVX512F__)
    // GCC 12 widens a vector of halves by parts, where one instruction does it.
    auto halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
#else
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    return reinterpret<Vector>(__builtin_convertvector(halves, Words) << 16);
#endif
}

inline void store(float* to, Vector value) {
    std::memcpy(to, &value, sizeof value);
}

// To the nearest, ties to even, as libtorch rounds; a NaN stays one.
inline void store(BFloat16* to, Vector value) {
#if defined(__AVX512BF16__)
    auto halves = _mm512_cvtneps_pbh((__m512)value);
#else
    Words words = reinterpret<Words>(value);
    Words rounded = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
    Words nan = (Words)((words & 0x7fffffff) > 0x7f800000);
    Halves halves = __builtin_convertvector((rounded & ~nan) | (nan & 0x7fc0), Halves);
#endif
    std::memcpy(to, &halves, sizeof halves);
}

// Past the cache, where a line need not be read before it is written; `to` must be a vector's multiple. What is written
// so is in order with later stores only after `finish_stream`.
#if defined(__AVX512BF16__)
inline void stream(float* to, Vector value) {
    _mm512_stream_ps(to, (__m512)value);
}

inline void stream(BFloat16* to, Vector value) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret<__m256i>(_mm512_cvtneps_pbh((__m512)value)));
}

inline void finish_stream() {
    _mm_sfence();
}
#else
template <typename T> inline void stream(T* to, Vector value) {
    store(to, value);
}

inline void finish_stream() {}
#endif

// The first `count` elements; the other lanes are zero, or are not written.
#if defined(__AVX512F__)
inline Vector load(const float* from, int64_t count) {
    if (count == Lanes)
        return load(from);
    return (Vector)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
}

inline Vector load(const BFloat16* from, int64_t count) {
    if (count == Lanes)
        return load(from);
    __m256i halves = _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), from);
    return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
}

inline void store(float* to, Vector value, int64_t count) {
    if (count == Lanes)
        return store(to, value);
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), (__m512)value);
}

inline void store(BFloat16* to, Vector value, int64_t count) {
    if (count == Lanes)
        return store(to, value);
    auto halves = _mm512_cvtneps_pbh((__m512)value);
    _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << count) - 1), reinterpret<__m256i>(halves));
}
#else
template <typename T> inline Vector load(const T* from, int64_t count) {
    if (count == Lanes)
        return load(from);
    T part[Lanes] = {};
    std::memcpy(part, from, count * sizeof(T));
    return load(part);
}

template <typename T> inline void store(T* to, Vector value, int64_t count) {
    if (count == Lanes)
        return store(to, value);
    T part[Lanes];
    store(part, value);
    std::memcpy(to, part, count * sizeof(T));
}
#endif

#if defined(__AVX512F__)
// `value` where `sign` is above zero, and zero elsewhere.
inline Vector where_positive(Vector sign, Vector value) {
    return (Vector)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)sign, __m512{}, _CMP_GT_OQ), (__m512)value);
}

// A NaN is not below zero: it stays, being the second operand.
inline Vector positive_part(Vector value) {
    return (Vector)_mm512_max_ps(__m512{}, (__m512)value);
}
#else
inline Vector where(Integers condition, Vector yes) {
    return reinterpret<Vector>(condition & reinterpret<Integers>(yes));
}

inline Vector where_positive(Vector sign, Vector value) {
    return where((Integers)(sign > Vector{}), value);
}

inline Vector positive_part(Vector value) {
    return where(~(Integers)(value < Vector{}), value);
}
#endif

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
