/* crash_point.h — named places at which a test may end the process as a power failure would.
 *
 * GALENA_CRASH="name:N" in the environment ends the process (SIGKILL) at the Nth passage of the place.
 * GALENA_CRASH_LEAD="text" aborts it whenever it works on a lead whose body has the text in it: a lead that is poison.
 * Compiled in with the meson option crash_points only; else a call is nothing. */
#ifndef GALENA_BASE_CRASH_POINT_H
#define GALENA_BASE_CRASH_POINT_H

#include "base/str.h"

#ifdef GALENA_CRASH_POINTS
void crash_point(const char *name);
void crash_point_lead(str body);
#else
static inline void crash_point(const char *name) { (void)name; }
static inline void crash_point_lead(str body) { (void)body; }
#endif

#endif
