/* phone.h — phone numbers in E.164, by libphonenumber. */
#ifndef GALENA_VALIDATE_PHONE_H
#define GALENA_VALIDATE_PHONE_H

#include "validate/clean_value.h"

/* *v becomes the number in E.164 ("+4930123456", ITU-T E.164) and *type what kind of line it is ("mobile", "fixed_line",
 * "fixed_line_or_mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
 * "voicemail", "unknown"; empty when invalid). `region`: an ISO 3166-1 code in capitals, for numbers in national form; empty
 * when it is not known. An extension is left out of the value, and noted. Invalid is what the region's numbering plan does
 * not have, and a national number without region. */
void phone_clean(struct arena *a, str original, str region, struct clean_value *v, str *type);

#endif
