/* number_shim.cpp — std::from_chars and std::to_chars for C. */
#include "base/number_priv.h"

#include <charconv>
#include <system_error>

extern "C" enum number_read number_shim_read(const char *from, const char *to, double *out) noexcept {
    double value = 0;
    const std::from_chars_result result = std::from_chars(from, to, value);
    if (result.ptr != to || result.ec == std::errc::invalid_argument)
        return NUMBER_NOT_READ;
    if (result.ec != std::errc())
        return NUMBER_OUT_OF_RANGE;
    *out = value;
    return NUMBER_READ;
}

extern "C" size_t number_shim_write(double value, char *to, size_t size) noexcept {
    const std::to_chars_result result = std::to_chars(to, to + size, value);
    return result.ec == std::errc() ? static_cast<size_t>(result.ptr - to) : 0;
}

extern "C" size_t number_shim_write_scientific(double value, int precision, char *to, size_t size) noexcept {
    const std::to_chars_result result = std::to_chars(to, to + size, value, std::chars_format::scientific, precision);
    return result.ec == std::errc() ? static_cast<size_t>(result.ptr - to) : 0;
}
