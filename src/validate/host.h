/* host.h — domains of companies: from what people write to the domain somebody registered. */
#ifndef GALENA_VALIDATE_HOST_H
#define GALENA_VALIDATE_HOST_H

#include "validate/clean_value.h"

/* The domain in lower case and ASCII (RFC 5891, by libidn2), in the arena. False when it is no domain name, has no dot, or
 * has labels that no host has. */
bool host_ascii(struct arena *a, str domain, str *out);

/* True when the public suffix list knows the last part, as it does "com", "co.uk" and "museum" but not "con". In ASCII. */
bool host_suffix_is_known(str domain);

/* The registrable domain ("example.co.uk" of "mail.example.co.uk"), by the public suffix list; empty for a public suffix
 * itself. In ASCII, in lower case; points into `domain`. */
str host_registered(str domain);

/* *v becomes the registrable domain of a domain, a web address or an e-mail address. */
void host_clean(struct arena *a, str original, struct clean_value *v);

#endif
