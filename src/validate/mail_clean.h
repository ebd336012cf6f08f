/* mail_clean.h — e-mail addresses as people write them: what was meant, who gives such addresses, and slips in the names of
 * the well-known providers. */
#ifndef GALENA_VALIDATE_MAIL_CLEAN_H
#define GALENA_VALIDATE_MAIL_CLEAN_H

#include "validate/clean_value.h"

/* What kind of address it is, the first that holds: not one; at a domain for throwing away; at a provider where anybody gets
 * one; read by a team or a machine (info@); a person's at a company. */
enum mail_class { MAIL_INVALID, MAIL_DISPOSABLE, MAIL_FREE, MAIL_ROLE, MAIL_CORPORATE };
const char *mail_class_name(enum mail_class c);

/* Lists of providers, domains and role names, from share/lists; read-only once loaded. */
struct mail_lists;
struct mail_lists *mail_lists_load(struct arena *a);

/* 'f' for a domain where anybody gets an address, 'd' for a disposable one (its sub-domains too, where the list says so), 0
 * for any other. In lower case, in ASCII. */
char mail_domain_kind(const struct mail_lists *l, str domain);

/* True for names such as "info", "sales", "no-reply", "jobs2". In lower case. */
bool mail_is_role(const struct mail_lists *l, str local);

/* The provider of mail that `domain` is a slip of: one character left out, doubled, swapped with its neighbour or mistaken
 * for the key beside it, or any two such slips in a long name. False when there is none, when the domain is a provider's
 * itself or a well-known company's; of domains in the lists only the plainest slips are taken. *confidence: the estimated
 * share of such domains that are slips: near 1 when no such top-level domain exists, less for short names, which others
 * own, and for small providers. */
bool mail_typo(const struct mail_lists *l, str domain, str *provider, double *confidence);

/* The domain with another ending, when its own does not exist and is one slip away from a common one ("acme.con"); in the
 * arena. *confidence as above. */
bool mail_suffix_typo(struct arena *a, str domain, str *meant, double *confidence);

struct mail_cleaned {
    enum mail_class class;
    /* The whole address with another domain, when there is a slip at least 0.4 likely, taken or not; of a lone domain
     * without "@" the other domain. */
    str suggestion;
    double suggestion_confidence;
};

/* *v becomes the address in lower case with the domain in ASCII (RFC 5891). Taken off and put right: names and brackets
 * around it, "mailto:", dots in wrong places, "(at)", a comma for a dot. A slip in the domain is corrected when it is at
 * least `sure` likely (0..1), and no word of `company` (its name or domain; may be empty) is the domain's own. */
void mail_clean(const struct mail_lists *l, struct arena *a, str original, str company, double sure, struct clean_value *v,
                struct mail_cleaned *out);

#endif
