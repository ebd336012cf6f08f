/* crash_point.h — named places at which a test may end the process as a power failure would.
 *
 * GALENA_CRASH="name:N" in the environment ends the process (SIGKILL) at the Nth passage of the place. Compiled in with the
 * meson option crash_points only; else a call is nothing. */
#ifndef GALENA_BASE_CRASH_POINT_H
#define GALENA_BASE_CRASH_POINT_H

#ifdef GALENA_CRASH_POINTS
void crash_point(const char *name);
#else
static inline void crash_point(const char *name) { (void)name; }
#endif

#endif
