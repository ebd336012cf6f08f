/* phone.c — phone numbers in E.164, by libphonenumber. */
#include "validate/phone.h"

#include "validate/phone_priv.h"

enum { PHONE_MAX_BYTE = 200 };

static const char *const types[] = {"fixed_line",  "mobile", "fixed_line_or_mobile", "toll_free", "premium_rate",
                                    "shared_cost", "voip",   "personal_number",      "pager",     "uan",
                                    "voicemail"};

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* "0049 30 …" is dialled in most of the world where the region's own prefix may be another: "+49 30 …". */
static enum phone_read read_zeros(struct arena *a, str s, struct phone_parsed *p) {
    const str plus = str_format(a, "+%.*s", STR_ARG(str_slice(s, 2, s.len)));
    return phone_shim_read(plus.ptr, plus.len, "ZZ", p);
}

void phone_clean(struct arena *a, str original, str region, struct clean_value *v, str *type) {
    *type = (str){0};
    if (!clean_begin(v, original, PHONE_MAX_BYTE))
        return;
    char code[3] = "ZZ";
    if (region.len == 2 && is_letter(region.ptr[0]) && is_letter(region.ptr[1]))
        memcpy(code, region.ptr, 2);
    struct phone_parsed p;
    const str s = v->value;
    enum phone_read r = phone_shim_read(s.ptr, s.len, code, &p);
    if (r != PHONE_READ && str_starts(s, STR("00")) && read_zeros(a, s, &p) == PHONE_READ) {
        r = PHONE_READ;
        clean_apply(v, RULE_INTERNATIONAL_ZEROS);
    }
    if (r != PHONE_READ) {
        clean_refuse(v, r == PHONE_NOT_READ ? RULE_NOT_A_PHONE : r == PHONE_NO_REGION ? RULE_NO_REGION : RULE_NOT_IN_REGION);
        return;
    }
    v->value = str_copy(a, (str){p.e164, p.len});
    *type = p.type >= 0 && (size_t)p.type < sizeof types / sizeof *types ? str_from(types[p.type]) : STR("unknown");
    if (!str_equal(v->value, s))
        clean_apply(v, RULE_E164);
    if (p.extension)
        clean_apply(v, RULE_EXTENSION);
    clean_end(v, original);
}
