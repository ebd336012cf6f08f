/* pin.h — what a run is pinned to: program, model, profile and how a score is made of them.
 *
 * A run carries its pins as text (struct pin_terms, in canonical JSON), so that it ends as it began whatever is configured
 * meanwhile. A pin is those terms with the model and profile they name, loaded and bound; it is read-only and shared by
 * threads. The cache keeps pins by their text and counts who uses them: a reload never frees a pin in use. */
#ifndef GALENA_FLOW_PIN_H
#define GALENA_FLOW_PIN_H

#include "act/route.h"
#include "base/hash.h"
#include "features/vectorise.h"
#include "flow/settle.h"
#include "score/bundle.h"

enum { PIN_TEXT_BYTE = 2048, PIN_NAME_BYTE = 64, PIN_MAX_TARGET = RUN_MAX_DELIVERY };

/* What the text says. Everything that decides a result is here. If you change this: pin_write, pin_read,
 * docs/formats/pins.md.
 */
struct pin_terms {
    str program;                /* version of galena */
    str model, profile;         /* SHA-256 in hexadecimal of the artifacts' bytes; one of them may be empty */
    double hot, warm;           /* tiers of a profile that scores alone; a model has its own */
    double interval;            /* such as 0.95; 0: none */
    size_t reasons;             /* 0..REASON_MAX */
    str enrich;                 /* name of the target that looks leads up; empty: none */
    str target[PIN_MAX_TARGET]; /* names of deliveries */
    size_t n_target;
    int64_t rescore_day[TIER_COUNT]; /* 0: never */
};

/* The program's own version, interval 0.95, 3 reasons, hot above 0.85, warm above 0.5. */
struct pin_terms pin_defaults(void);

/* The text: canonical JSON, without what has its default. ERR_INPUT "pin_terms" for terms out of range. */
err pin_write(struct arena *a, const struct pin_terms *t, str *text) MUST_CHECK;

/* The terms, in the arena. ERR_CORRUPT "pin_text". */
err pin_read(struct arena *a, str text, struct pin_terms *out) MUST_CHECK;

struct model_pin;

/* Makes a pin of its text and the bytes of the artifacts that it names (empty where it names none); all of it lives in the
 * pin. Without a model the profile scores alone; with both, the profile's rules disqualify. ERR_CORRUPT "pin_text", and
 * "pin_artifact" when bytes have another SHA-256 than the text says; errors of bundle_read and profile_parse. */
err pin_load(str text, str model, str profile, struct model_pin **out) MUST_CHECK;

const struct pin_terms *pin_terms(const struct model_pin *pin);
str pin_text(const struct model_pin *pin);
const struct bundle *pin_bundle(const struct model_pin *pin);   /* NULL: the profile scores alone */
const struct profile *pin_profile(const struct model_pin *pin); /* that scores alone, or whose rules disqualify; or NULL */
double pin_hot(const struct model_pin *pin);
double pin_warm(const struct model_pin *pin);

/* Frees a pin that no cache holds. */
void pin_free(struct model_pin *pin);

/* ---- the cache ---- */

/* Where artifacts are: fetch() gets the bytes of a "model" or "profile" into the arena; called without a lock held. */
struct pin_source {
    err (*fetch)(void *ctx, struct arena *a, str kind, str id, str *content);
    void *ctx;
};

struct pin_cache;

/* Keeps up to `idle` pins that nobody uses. May be used by several threads. */
err pin_cache_new(struct arena *a, struct pin_source source, size_t idle, struct pin_cache **out) MUST_CHECK;

/* The pin of that text, loaded when it is new: by one thread, while others that want it wait. Give it back with
 * pin_cache_release. Errors of pin_load and of fetch(); a failure is not kept. */
err pin_cache_get(struct pin_cache *c, str text, const struct model_pin **out) MUST_CHECK;
void pin_cache_release(struct pin_cache *c, const struct model_pin *pin);

#endif
