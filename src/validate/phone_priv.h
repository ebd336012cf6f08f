/* phone_priv.h — the calls of libphonenumber that phone.c stands on. */
#ifndef GALENA_VALIDATE_PHONE_PRIV_H
#define GALENA_VALIDATE_PHONE_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
#define NOEXCEPT noexcept
extern "C" {
#else
#define NOEXCEPT
#endif

enum { PHONE_TEXT_BYTE = 32 };
enum phone_read { PHONE_READ, PHONE_NOT_READ, PHONE_NO_REGION, PHONE_NOT_VALID };

struct phone_parsed {
    char e164[PHONE_TEXT_BYTE];
    size_t len;
    int type; /* PhoneNumberUtil::PhoneNumberType */
    bool extension;
};

/* Parses `n` bytes of UTF-8 as a number of `region` (two letters with a NUL, or "ZZ"). *out is written on PHONE_READ. */
enum phone_read phone_shim_read(const char *text, size_t n, const char *region, struct phone_parsed *out) NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
