/* validate.h — the first stage: is the body a lead, and what are its columns.
 *
 * A body is one JSON object. Members that galena knows (docs/formats/lead.md) have types and lengths; every other member is
 * taken as it is. Only what is unambiguous is changed: space around texts goes, e-mail addresses and domains become lower
 * case, and the domain of an e-mail address becomes the company's when the lead names none and the address is not at a
 * provider of private mail. Messages name the place in the body and what is wrong there, never a value. */
#ifndef GALENA_VALIDATE_VALIDATE_H
#define GALENA_VALIDATE_VALIDATE_H

#include "lead/run.h"

enum { LEAD_MAX_BYTE = 256 << 10, LEAD_MAX_DEPTH = 16, LEAD_MAX_VALUE = 8192 };

/* By what a lead is known; empty where it says nothing. */
struct identity {
    str email, domain, external, source, company;
};

/* Parses run->body and sets run->neutral and run->column. Everything that fails is ERR_INPUT, with a slug "lead_…" or
 * "json_…": nothing of it gets better by trying again. */
err validate_lead(struct run *run) MUST_CHECK;

/* The checks of validate_lead on a parsed lead, for those who want to refuse it at the door: types, lengths and forms of
 * members, but not their count and not names that come twice. ERR_INPUT as validate_lead. */
err validate_check(struct arena *a, const struct json *lead) MUST_CHECK;

/* The identity of a parsed lead, normalised as above, in the arena: e-mail from "person.email" or "email"; domain from
 * "company.domain", "domain" or the e-mail address; external from "lead_id", "crm_id" or "external_id"; source. Checks those
 * members alone: ERR_INPUT as validate_lead. */
err validate_identity(struct arena *a, const struct json *lead, struct identity *out) MUST_CHECK;

/* The limits of a body, for json_parse. */
struct json_limits validate_limits(void);

#endif
