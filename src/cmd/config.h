/* config.h — settings from a configuration file and from the environment, below those of the command line.
 *
 * The file is YAML (or JSON): keys are names of settings; groups join with a dash, so that "deliver: {url: X}" is
 * --deliver-url X; an underscore is a dash; lists are lists. The environment: GALENA_ and the name in capitals, dashes as
 * underscores. */
#ifndef GALENA_CMD_CONFIG_H
#define GALENA_CMD_CONFIG_H

#include "base/settings.h"

enum { CONFIG_MAX_BYTE = 1 << 20 };

/* Applies the file. ERR_INPUT with file, line and column for an unknown key or a wrong value; errors of yaml_parse and
 * file_read_all. */
err config_apply_file(struct settings *s, struct arena *a, const char *path) MUST_CHECK;

/* Applies every GALENA_ variable whose name is that of a setting; others are left alone. */
err config_apply_environment(struct settings *s, struct arena *a) MUST_CHECK;

#endif
