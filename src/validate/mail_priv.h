/* mail_priv.h — the loaded lists behind mail_clean.h. */
#ifndef GALENA_VALIDATE_MAIL_PRIV_H
#define GALENA_VALIDATE_MAIL_PRIV_H

#include "validate/mail_clean.h"

struct mail_provider {
    str domain;
    double people; /* millions, roughly */
};

struct mail_lists {
    struct mail_provider *provider;
    size_t n_provider;
    str *role, *company;
    size_t n_role, n_company;
    str domains; /* lines "domain f" and "domain d", "*.domain d" for all below; sorted by bytes */
};

bool mail_is_provider(const struct mail_lists *l, str domain);

#endif
