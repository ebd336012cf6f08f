/* envelope_priv.h — the first line of the stored models of this room: "MAGIC VERSION CHECKSUM BYTES", then so many bytes of
 * JSON, as in docs/formats/model.md. */
#ifndef GALENA_TEXT_ENVELOPE_PRIV_H
#define GALENA_TEXT_ENVELOPE_PRIV_H

#include "base/buf.h"

/* Writes line and body. */
err envelope_write(struct buf *out, str magic, int version, str body) MUST_CHECK;

/* Checks version, length and checksum; *body points into `bytes`. ERR_INPUT "model_not_a_model", "model_newer"; ERR_CORRUPT
 * "model_cut", "model_checksum", "model_corrupt". */
err envelope_open(str bytes, str magic, int version, str *body) MUST_CHECK;

#endif
