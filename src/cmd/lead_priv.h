/* lead_priv.h — what the commands about one lead share. */
#ifndef GALENA_CMD_LEAD_PRIV_H
#define GALENA_CMD_LEAD_PRIV_H

#include "cmd/control.h"

struct lead_options {
    struct control_options control;
    str lead;
};

/* "/v1/leads/LEAD" and the rest. */
str lead_path(struct session *s, str lead, const char *rest);

#endif
