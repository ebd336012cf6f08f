/* mail.h — e-mail addresses and domains: their form, one spelling, and which are private. */
#ifndef GALENA_VALIDATE_MAIL_H
#define GALENA_VALIDATE_MAIL_H

#include "base/str.h"

enum { MAIL_BYTE = 320, MAIL_LOCAL_BYTE = 64, DOMAIN_BYTE = 253 };

/* A domain in lower case: host name labels with at least one dot (letters beyond ASCII as they are). A scheme, a path, a
 * "www." in front and a final dot go. False when what is left is no domain; *out may point into `text`. */
bool mail_domain(struct arena *a, str text, str *out);

/* An e-mail address in lower case: a local part of printable characters without blanks, quotes and brackets, "@", a domain
 * with a dot (RFC 5321's common form). False when it is none. */
bool mail_address(struct arena *a, str text, str *out);

/* The part behind the "@". */
str mail_domain_of(str address);

/* True for domains where anybody gets an address ("gmail.com"): they say nothing of a company. In lower case. */
bool mail_is_private(str domain);

#endif
