/* phone_shim.cpp — libphonenumber for C. */
#include "validate/phone_priv.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <phonenumbers/phonenumberutil.h>
#pragma GCC diagnostic pop

#include <cstring>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

extern "C" enum phone_read phone_shim_read(const char *text, size_t n, const char *region,
                                           struct phone_parsed *out) noexcept {
    try {
        const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
        PhoneNumber number;
        const PhoneNumberUtil::ErrorType error = util.Parse(std::string(text, n), region, &number);
        if (error == PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR)
            return PHONE_NO_REGION;
        if (error != PhoneNumberUtil::NO_PARSING_ERROR)
            return PHONE_NOT_READ;
        if (!util.IsValidNumber(number))
            return PHONE_NOT_VALID;
        std::string e164;
        util.Format(number, PhoneNumberUtil::E164, &e164);
        if (e164.size() >= PHONE_TEXT_BYTE)
            return PHONE_NOT_READ;
        std::memcpy(out->e164, e164.c_str(), e164.size() + 1);
        out->len = e164.size();
        out->type = util.GetNumberType(number);
        out->extension = number.has_extension() && !number.extension().empty();
        return PHONE_READ;
    } catch (...) {
        return PHONE_NOT_READ;
    }
}
